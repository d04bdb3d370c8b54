"""PostgreSQL's own grammar (libpg_query through postgast) behind one door: bytes in, plain dictionaries out.

Offsets are bytes. A text that the grammar refuses comes back as an `Unparsed` piece with the reason and place, never as
nothing: a file is cut into statements first, so that one refused statement does not hide its neighbours.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Any, NamedTuple

from migrations_registry.analysis.parsing.depth import TooDeep, bounded_tree
from migrations_registry.analysis.parsing.library import lib
from migrations_registry.analysis.parsing.splitter import pieces, skip_blank, too_many_comments, without_psql_lines

Node = dict[str, Any]

MAX_FILE_BYTES = 8 * 1024 * 1024
MAX_STATEMENT_BYTES = 2 * 1024 * 1024
_DIRECT_BYTES = 32 * 1024  # deeper text than this could overflow an ordinary 8 MiB stack (measured: 130 bytes a level)
_DEEP_STACK_BYTES = 384 * 1024 * 1024
_deep_stack = threading.Lock()
# libpg_query closes each of a trigger function's own variables (TG_OP and its like) once too often.
_PROMISES = re.compile(
    rb'("datums":\[(?:\{"PLpgSQL_rec":\{"refname":"new"\}\},\{"PLpgSQL_rec":\{"refname":"old","dno":1\}\},)?)'
    rb"((?:\{\}\},)+)"
)


class ParseError(Exception):
    """The grammar refused a text; `position` is a byte offset into it."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


class Raw(NamedTuple):
    """One statement: its node type, its fields and the bytes [start, end) without leading blanks and comments."""

    kind: str
    node: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Unparsed:
    """Bytes [start, end) that the grammar refuses, and why; `position` is where it stumbled."""

    reason: str
    start: int
    end: int
    position: int


def parse(data: bytes) -> list[Raw | Unparsed]:
    """Return every statement of a file in order; refused stretches as `Unparsed`. Never raises for any bytes."""
    refused = _refused_bytes(data)
    if refused is not None:
        return [refused]
    data = without_psql_lines(data)
    if len(data) <= _DIRECT_BYTES:
        try:
            return list(_statements(data, 0, len(data), _tree(data)))
        except ParseError:
            pass
    return [statement for start, end in pieces(data) for statement in _piece(data, start, end)]


def parse_snippet(text: str) -> list[Raw]:
    """Parse SQL that came out of another statement. Raises ParseError."""
    data = text.encode("utf-8", "surrogatepass")
    if b"\0" in data:
        raise ParseError("the text holds a NUL byte")
    return _statements(data, 0, len(data), _bounded_tree(data))


def parse_plpgsql(statement: str) -> Node:
    """Return the syntax tree of one CREATE FUNCTION, CREATE PROCEDURE or DO in PL/pgSQL. Raises ParseError."""
    data = statement.encode()
    if b"\0" in data:
        raise ParseError("the body holds a NUL byte")
    if len(data) <= _DIRECT_BYTES:
        return _plpgsql(data)
    tree: Node = _on_deep_stack(_plpgsql, data)
    return tree


def _refused_bytes(data: bytes) -> Unparsed | None:
    """What the grammar's C interface would silently cut off or misread."""
    if len(data) > MAX_FILE_BYTES:
        return Unparsed(f"the file is larger than {MAX_FILE_BYTES} bytes", 0, len(data), 0)
    if b"\0" in data:
        return Unparsed("the file holds a NUL byte", 0, len(data), data.index(b"\0"))
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return Unparsed("the file is not valid UTF-8", 0, len(data), error.start)
    if data.startswith(b"\xef\xbb\xbf"):
        return Unparsed("the file begins with a byte order mark, which PostgreSQL refuses", 0, len(data), 0)
    return None


def _piece(data: bytes, start: int, end: int) -> list[Raw | Unparsed]:
    first = skip_blank(data, start, end)
    if first >= end:
        return []
    try:
        return list(_statements(data, start, end, _bounded_tree(data[start:end])))
    except ParseError as error:
        return [Unparsed(str(error), first, end, max(first, start + error.position))]


def _statements(data: bytes, base: int, limit: int, tree: Node) -> list[Raw]:
    statements = []
    for raw in tree.get("stmts", ()):
        start = base + raw.get("stmt_location", 0)
        length = raw.get("stmt_len", 0)
        end = start + length if length else limit
        kind, node = next(iter(raw["stmt"].items()))
        statements.append(Raw(kind, node, skip_blank(data, start, end), end))
    return statements


def _bounded_tree(data: bytes) -> Node:
    if len(data) > MAX_STATEMENT_BYTES:
        raise ParseError(f"one statement is larger than {MAX_STATEMENT_BYTES} bytes")
    if len(data) <= _DIRECT_BYTES:
        return _tree(data)
    tree: Node = _on_deep_stack(_tree, data)
    return tree


def _tree(data: bytes) -> Node:
    if too_many_comments(data):
        raise ParseError("it begins too many comments in one another to be analysed")
    result = lib.pg_query_parse(data)
    try:
        if result.error:
            raise _error(result.error.contents)
        return bounded_tree(result.parse_tree)
    except TooDeep:
        raise ParseError("the statement is nested too deeply to be analysed") from None
    finally:
        lib.pg_query_free_parse_result(result)


def _plpgsql(data: bytes) -> Node:
    if too_many_comments(data):
        raise ParseError("it begins too many comments in one another to be analysed")
    result = lib.pg_query_parse_plpgsql(data)
    try:
        if result.error:
            raise _error(result.error.contents)
        functions = bounded_tree(_PROMISES.sub(_balanced, result.plpgsql_funcs, count=1))
    except (TooDeep, ValueError):
        raise ParseError("the body cannot be read") from None
    finally:
        lib.pg_query_free_plpgsql_parse_result(result)
    if len(functions) != 1:
        raise ParseError("the body cannot be read")
    tree: Node = functions[0]["PLpgSQL_function"]
    return tree


def _balanced(match: re.Match[bytes]) -> bytes:
    return match[1] + match[2].replace(b"{}}", b"{}")


def _error(error: Any) -> ParseError:
    message = error.message.decode("utf-8", "replace") if error.message else "syntax error"
    return ParseError(message, max(error.cursorpos - 1, 0))


def _on_deep_stack(work: Any, data: bytes) -> Any:
    """Run `work` in a thread whose stack holds the deepest tree that `data` can make."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(work(data))
        except ParseError as error:
            outcome.append(error)

    with _deep_stack:
        before = threading.stack_size(_DEEP_STACK_BYTES)
        try:
            thread = threading.Thread(target=run)
            thread.start()
        except RuntimeError:
            raise ParseError("there is not enough memory to analyse a statement this long") from None
        finally:
            threading.stack_size(before)
        thread.join()
    if isinstance(outcome[0], ParseError):
        raise outcome[0]
    return outcome[0]
