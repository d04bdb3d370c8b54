"""Which files are migrations, whether their bytes can be taken, and in which order they belong. Pure.

In: (path, bytes) pairs of a directory, an archive or a Git commit. Out: `DiscoveredFile`s, and `Rejected` with reasons.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from migrations_registry.analysis.model import Name
from migrations_registry.analysis.parsing.nodes import dotted, relation, strings
from migrations_registry.analysis.parsing.parser import MAX_FILE_BYTES, Node, Raw, parse

STREAMS = ("schema", "migration", "supabase")
_PATTERNS = {
    "supabase": re.compile(r"(?:^|/)supabase/migrations/(?P<version>[0-9]+)_(?P<name>[^/]*)\.sql$"),
    "schema": re.compile(r"(?:^|/)(?P<version>schema)_(?P<name>[^/]+)\.sql$"),
    "migration": re.compile(r"(?:^|/)migration_(?P<version>[0-9]+)_(?P<name>[^/]+)\.sql$"),
}
CALLED = "schema_*.sql, migration_NN_*.sql or supabase/migrations/<time>_name.sql"
_LONGEST_COMMAND = 1_000
_COPY_STDIN = re.compile(rb"(?i)^\s*copy\b[^;]*\bfrom\s+stdin\b")


@dataclass(frozen=True, slots=True)
class DiscoveredFile:
    """One migration: where it lies, its bytes' digest, its stream and the version its name carries."""

    path: str
    sha256: str
    stream: str
    version: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that looks like a migration but cannot be taken; `line` is 1-based."""

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


def classify(path: str) -> tuple[str, str] | None:
    """(stream, version) of a path, or None for any other file."""
    for stream, pattern in _PATTERNS.items():
        if match := pattern.search(path):
            return stream, match["version"] if stream != "schema" else match["name"]
    return None


def discover(candidates: Iterable[tuple[str, bytes]]) -> tuple[list[DiscoveredFile], list[Rejected]]:
    """Take what belongs to a stream, in the order it should be applied; the rest is left out or rejected."""
    files: list[DiscoveredFile] = []
    rejected: list[Rejected] = []
    for path, data in candidates:
        kind = classify(path)
        if kind is None:
            continue
        problem = unacceptable(data) or _twin(path, files)
        if problem:
            rejected.append(Rejected(path, *problem))
        else:
            files.append(DiscoveredFile(path, hashlib.sha256(data).hexdigest(), *kind, data))
    return order(files), sorted(rejected, key=lambda file: file.path)


def of_one_version(path: str) -> str:
    """How the paths of all files begin that have its row in the history; empty where a path is a row."""
    found = _PATTERNS["supabase"].search(path)
    return path[: found.end("version")] + "_" if found else ""


def _twin(path: str, files: Iterable[DiscoveredFile]) -> tuple[int, str] | None:
    """Another file that a computer, or the history, takes for the same one."""
    for other in files:
        if other.path.casefold() == path.casefold():
            return 1, f"its name differs from {other.path} only in case: on many computers they are one file"
        if (start := of_one_version(path)) and other.path.startswith(start):
            return 1, f"it has the version of {other.path}: the history has one row for both"
    return None


def unacceptable(data: bytes) -> tuple[int, str] | None:
    """(line, reason) why these bytes are refused; None for plain UTF-8 SQL."""
    if len(data) > MAX_FILE_BYTES:
        return 1, f"it is larger than {MAX_FILE_BYTES} bytes"
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return 1, "it begins with a byte order mark, which PostgreSQL takes for a character"
    if b"\0" in data:
        return _line(data, data.index(b"\0")), "it holds a NUL byte: what follows would not be executed"
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return _line(data, error.start), f"it is not UTF-8: byte 0x{data[error.start]:02x}"
    return _client_commands(data)


def _client_commands(data: bytes) -> tuple[int, str] | None:
    """psql commands and COPY data, found by the grammar: text in quotes and comments does not count."""
    from_stdin = "COPY … FROM STDIN takes its rows from the file, which only psql does"
    for item in parse(data):
        if isinstance(item, Raw):
            if item.kind == "CopyStmt" and item.node.get("is_from") and not item.node.keys() & {"filename"}:
                return _line(data, item.start), from_stdin
            continue
        begin = data.rfind(b"\n", 0, item.position) + 1
        text = data[begin : begin + _LONGEST_COMMAND].partition(b"\n")[0]
        if text.lstrip().startswith(b"\\"):
            command = text.split()[0].decode("utf-8", "replace")
            return _line(data, item.position), f"{command} is a command of psql, not SQL"
        if _COPY_STDIN.search(data[item.start : item.end]):
            return _line(data, item.start), from_stdin
    return None


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1


def order(files: Iterable[DiscoveredFile]) -> list[DiscoveredFile]:
    """By stream and name, then by what each needs: a file comes after those that create what it uses."""
    rows = sorted(files, key=_by_name)
    names = {file.path: _names(file.data) for file in rows}
    makers: dict[Name, str] = {}
    for file in rows:
        for name in names[file.path][0]:
            makers.setdefault(name, file.path)
    waits = {path: {makers.get(name, path) for name in needs} - {path} for path, (_, needs) in names.items()}
    placed: dict[str, DiscoveredFile] = {}
    while rows:
        ready = _next(rows, waits, placed)
        placed[ready.path] = ready
        rows.remove(ready)
    return list(placed.values())


def _next(rows: list[DiscoveredFile], waits: dict[str, set[str]], placed: dict[str, DiscoveredFile]) -> DiscoveredFile:
    """The first file whose needs are placed; numbered streams keep their order; a circle is cut at the front."""
    started: set[str] = set()
    for file in rows:
        if file.stream not in started and waits[file.path] <= placed.keys():
            return file
        if file.stream != "schema":
            started.add(file.stream)
    return rows[0]


def _by_name(file: DiscoveredFile) -> tuple[int, int, str, str]:
    number = int(file.version) if file.stream == "migration" else 0
    return STREAMS.index(file.stream), number, file.version if file.stream == "supabase" else "", file.path


def _names(data: bytes) -> tuple[set[Name], set[Name]]:
    """(created, used): relations, types and functions that the file makes and names."""
    made: set[Name] = set()
    named: set[Name] = set()
    for item in parse(data):
        if isinstance(item, Raw):
            made |= set(_created_by(item.kind, item.node))
            named |= set(_used_by(item.node))
    return made, named


def _created_by(kind: str, node: Node) -> Iterable[Name]:
    made = {"CreateStmt": "relation", "ViewStmt": "view", "CreateSeqStmt": "sequence"}
    if kind in made:
        yield relation(node[made[kind]])
    elif kind == "CreateTableAsStmt":
        yield relation(node["into"]["rel"])
    elif kind in ("CreateEnumStmt", "CreateDomainStmt", "CompositeTypeStmt"):
        names = node.get("domainname") or node.get("typeName", [])
        yield relation(node["typevar"]) if "typevar" in node else dotted(strings(names))
    elif kind == "CreateFunctionStmt":
        yield dotted(strings(node["funcname"]))


def _used_by(node: Node) -> Iterable[Name]:
    stack: list[object] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack += current
        elif isinstance(current, dict):
            if "relname" in current and "relpersistence" in current:
                yield relation(current)
            for field in ("funcname", "names"):
                if isinstance(current.get(field), list) and (parts := strings(current[field])):
                    yield dotted(parts)
            stack += current.values()
