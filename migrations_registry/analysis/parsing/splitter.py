"""Cut SQL bytes at top-level semicolons without judging them: the pieces always cover the whole input.

A wrong cut can only make the grammar refuse a piece (which is then opaque); it can never make text disappear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_BLANK = re.compile(rb"(?:[\s;]+|--[^\n]*)+")
_COMMENT_EDGE = re.compile(rb"/\*|\*/")
_TOKEN = re.compile(
    rb"""--[^\n]*|/\*|;|\(|\)
    |[eE]'(?:[^'\\]|\\.|'')*'?|'(?:[^']|'')*'?|"(?:[^"]|"")*"?
    |\$(?P<tag>[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*|)\$
    |[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*
    |[^-/;()'"$A-Za-z_\x80-\xff]{16,}""",  # what begins nothing is passed at once
    re.S | re.X,
)
# The grammar's scanner takes a run of operator characters anew for each comment that begins in it (4 ns a character).
_OPERATORS = re.compile(rb"[*/~!@#^&|`?+\-%<>=]{512,}")
_MOST_SCANNED = 2**25
# What only says how psql prints, or that it stops at an error, as the runner does anyway.
_TO_PSQL = re.compile(
    rb"""\\(?:(?:un)?restrict[ ][A-Za-z0-9]+|set[ ]+ON_ERROR_STOP(?:[ ]+(?:on|1|true|yes))?
    |(?:un)?set[ ]+(?:QUIET|ECHO|ECHO_HIDDEN|VERBOSITY|SHOW_CONTEXT)(?:[ ]+\w+)?|timing(?:[ ]+(?:on|off))?
    |(?:echo|qecho|warn|pset)(?:[ \t][^\\`\n]*)?|encoding[ ]+'?utf-?8'?|x(?:[ ]+(?:on|off|auto))?)[ \t\r]*$""",
    re.M | re.X | re.I,
)
_LINE_OF_PSQL = re.compile(rb"^[ \t]*\\[a-z]", re.M)


def pieces(data: bytes, start: int = 0) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each statement's bytes from `start` on; `end` excludes the semicolon."""
    position, depth = start, 0
    atomic = 0  # how many CASE or BEGIN ATOMIC still wait for their END
    previous = b""
    while match := _TOKEN.search(data, position):
        token, position = match.group(), match.end()
        if token == b"/*":
            position = comment_end(data, match.start())
        elif token[:1] == b"$":
            closing = data.find(token, position)
            position = len(data) if closing < 0 else closing + len(token)
        elif token == b"(":
            depth += 1
        elif token == b")":
            depth = max(depth - 1, 0)
        elif token == b";":
            if not depth and not atomic:
                yield start, match.start()
                start = position
        elif token[:1].isalpha():
            word = token.lower()
            atomic = _atomic_depth(atomic, previous, word)
            previous = word
    yield start, len(data)


def words(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each word of one statement that stands in no bracket, text, name or comment."""
    position = depth = 0
    while match := _TOKEN.search(data, position):
        token, position = match.group(), match.end()
        if token == b"/*":
            position = comment_end(data, match.start())
        elif token[:1] == b"$":
            closing = data.find(token, position)
            position = len(data) if closing < 0 else closing + len(token)
        elif token in (b"(", b")"):
            depth += 1 if token == b"(" else -1
        elif token[:1].isalpha() and not token.endswith(b"'") and not depth:
            yield match.span()


def _atomic_depth(depth: int, previous: bytes, word: bytes) -> int:
    if (word == b"atomic" and previous == b"begin") or (depth and word == b"case"):
        return depth + 1
    return depth - 1 if depth and word == b"end" else depth


def comment_end(data: bytes, start: int) -> int:
    """The offset behind the block comment that begins at `start`; they nest. Beyond the end where it never ends."""
    depth, position = 0, start
    while edge := _COMMENT_EDGE.search(data, position):
        depth += 1 if edge.group() == b"/*" else -1
        position = edge.end()
        if depth == 0:
            return position
    return len(data) + 1


def too_many_comments(data: bytes) -> bool:
    """Whether comments begin in one another, without a character between, so often that reading them takes seconds."""
    return sum(len(run) * run.count(b"/*") for run in _OPERATORS.findall(data)) > _MOST_SCANNED


def skip_blank(data: bytes, start: int, end: int) -> int:
    """The first offset in [start, end) that is neither blank, comment nor semicolon; `end` if there is none.

    A comment that does not end there is none: PostgreSQL refuses it.
    """
    while start < end:
        if match := _BLANK.match(data, start, end):
            start = match.end()
        elif data.startswith(b"/*", start, end):
            closing = comment_end(data, start)
            if closing > len(data):
                return start
            start = min(closing, end)
        else:
            return start
    return end


def without_psql_lines(data: bytes) -> bytes:
    r"""The same bytes with blanks in place of lines such as \set ON_ERROR_STOP 1, which only speak to psql.

    Only between statements: anywhere else such a line is text, or a psql command.
    """
    if not _LINE_OF_PSQL.search(data):
        return data
    left, position = bytearray(data), 0
    while (first := skip_blank(data, position, len(data))) < len(data):
        if match := _TO_PSQL.match(data, first):
            left[first : match.end()] = b" " * len(match[0])
            position = match.end()
        else:
            position = next(pieces(data, first))[1] + 1
    return bytes(left)
