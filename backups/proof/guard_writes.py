"""Whether code changes rows of given relations, or who may: told from its tokens, as the server's scanner cuts them.

In: SQL text (a function's definition, a rule), names. Out: a Reach. Strings are read as code too: EXECUTE runs them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from providers.postgres.schema.model import Name
from providers.postgres.schema.names import parts

QUALIFIED = r'(?:"(?:[^"]|"")*+"|[^" (),.])+\.(?:"(?:[^"]|"")*+"|[^" (),.])+'
QUOTED = re.compile(r'"(?:[^"]|"")*+"')
Token = tuple[str, str]  # kind, text
WORD, NAME, TEXT, OTHER = "word", "name", "text", "other"
SKIPPED = frozenset(["only", "table", "from", "into", "if", "exists", "concurrently", ","])
AIMED = frozenset(["update", "delete", "truncate", "merge", "alter", "drop"])
DEFINES = frozenset(["create", "drop", "grant", "revoke", "alter"])
NO_DYNAMIC = frozenset(["on", "function", "procedure"])
ENDS = frozenset([";", "into", "using", "loop", "end"])
MILD = frozenset(["notice", "debug", "log", "info", "warning"])
DOLLAR = re.compile(r"\$[^$]*\$(.*)\$[^$]*\$", re.DOTALL)
ESCAPED = re.compile(r"(?:[eE]|[uU]&)?'(.*)'", re.DOTALL)
# Read backwards from each bracket, which takes linear time.
CALLS = re.compile(r'\(\s*+"?+([\w$]++)')
QUOTED_CALLS = re.compile(r'\(\s*+"((?:[^"]|"")++)"')
CODED = re.compile(r"\\\+?([0-9a-fA-F]{4,6})")
DEEPEST = 6


@dataclass(frozen=True)
class Reach:
    """`writes`: names one; `dynamic`: runs what only its values know; `refuses`: ends with an error by itself."""

    writes: bool = False
    dynamic: bool = False
    refuses: bool = False


@lru_cache(maxsize=8192)  # code hardly changes from run to run
def reach(text: str, names: tuple[Name, ...]) -> Reach:
    """What cannot be cut into tokens writes wherever it holds a name."""
    tokens = list(_tokens(text, 0))
    if (OTHER, "?") in tokens:
        return Reach(any(name in text for _, name in names), True, True)
    words = [item[1] if item[0] == WORD else "" for item in tokens]
    pairs = list(zip(words, [*words[1:], ""], strict=True))
    return Reach(
        any(_changes(tokens, words, at, names) for at in range(len(tokens))),
        any(word == "execute" and _unknown(tokens, at + 1) for at, word in enumerate(words)),
        any(first == "raise" and then not in MILD for first, then in pairs),
    )


def _tokens(text: str, depth: int) -> Iterator[Token]:
    from postgast import PgQueryError, scan

    try:
        found = scan(text).tokens
    except (PgQueryError, UnicodeError):
        yield (OTHER, "?") if depth < 2 else (TEXT, text)  # a sentence, not code
        return
    data = text.encode()
    for token in found:
        kinds = token.DESCRIPTOR.fields_by_name["token"].enum_type.values_by_number
        said, kind = data[token.start : token.end].decode(), kinds[token.token].name
        if kind in ("SCONST", "USCONST"):
            yield TEXT, "escaped" if "\\" in said and said[0] in "eEuU" else "begin"
            if depth < DEEPEST:
                yield from _tokens(_inside(said), depth + 1)
            yield TEXT, "end"
        elif kind in ("IDENT", "UIDENT") and '"' in said:
            yield (
                NAME,
                CODED.sub(lambda match: chr(int(match[1], 16)), said[said.index('"') + 1 : -1].replace('""', '"')),
            )
        elif kind not in ("SQL_COMMENT", "C_COMMENT"):
            yield (WORD if said[0].isalpha() or said[0] == "_" else OTHER), said.lower()


def _inside(said: str) -> str:
    if match := DOLLAR.fullmatch(said):
        return match[1]
    match = ESCAPED.fullmatch(said)
    return match[1].replace("''", "'") if match else said


def _changes(tokens: Sequence[Token], words: Sequence[str], at: int, names: Collection[Name]) -> bool:
    if words[at] in AIMED:
        return any(name in names for name in _named(tokens, at + 1, names))
    if words[at] == "on":
        start = max((i for i in range(at) if tokens[i][0] == TEXT or tokens[i] == (OTHER, ";")), default=0)
        return not DEFINES.isdisjoint(words[start:at]) and any(_named(tokens, at + 1, names))
    if words[at] == "insert" and any(_named(tokens, at + 1, names)):
        end = next((i for i in range(at, len(tokens)) if tokens[i] == (OTHER, ";")), len(tokens))
        return ("do", "update") in zip(words[at:end], words[at + 1 : end], strict=False)
    return False


def _named(tokens: Sequence[Token], at: int, names: Collection[Name]) -> Iterator[Name]:
    """Those of `names` that are listed from here on."""
    while at < len(tokens):
        if tokens[at][1] in SKIPPED and tokens[at][0] != NAME:
            at += 1
            continue
        said: list[str] = []
        while at < len(tokens) and tokens[at][0] in (WORD, NAME):
            said.append(tokens[at][1])
            at += 1
            if at + 1 >= len(tokens) or tokens[at] != (OTHER, "."):
                break
            at += 1
        if not said:
            return
        yield from (name for name in names if name[1] == said[-1] and (len(said) == 1 or name[0] == said[-2]))
        if at >= len(tokens) or tokens[at] != (OTHER, ","):
            return


def _unknown(tokens: Sequence[Token], at: int) -> bool:
    """Whether what EXECUTE runs is more than one written text."""
    if at >= len(tokens) or tokens[at][1] in NO_DYNAMIC:
        return False
    if tokens[at] != (TEXT, "begin"):
        return True
    depth, at = 1, at + 1
    while at < len(tokens) and depth:
        depth += {"begin": 1, "escaped": 1, "end": -1}[tokens[at][1]] if tokens[at][0] == TEXT else 0
        at += 1
    return at < len(tokens) and tokens[at][1] not in ENDS


@lru_cache(maxsize=8192)
def calls(text: str) -> frozenset[str]:
    """Last names of all that may be called in it."""
    back = text[::-1]
    quoted = {name[::-1].replace('""', '"') for name in QUOTED_CALLS.findall(back)}
    return frozenset(quoted | {name[::-1].lower() for name in CALLS.findall(back)})


def base_of(view: str, full: str) -> str:
    """The one relation a view selects from, as the fingerprint quotes it. A definition that cannot be read: `full`."""
    from postgast import PgQueryError, parse

    try:
        sources = parse(view).stmts[0].stmt.view_stmt.query.select_stmt.from_clause
    except (PgQueryError, RecursionError, IndexError):
        return full
    if len(sources) != 1 or not sources[0].HasField("range_var"):
        return ""
    found = sources[0].range_var
    return full if (found.schemaname, found.relname) == parts(full) else quoted(found.schemaname, found.relname)


def quoted(*names: str) -> str:
    """As the fingerprint does, but for keywords."""
    return ".".join(
        name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"' for name in names
    )
