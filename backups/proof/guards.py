"""What guards the audit trail, compared from run to run: triggers, checks, rights, verifier, names that lead elsewhere.

In: the fingerprints of two runs. Out: one Finding a table that says what changed; nothing for what is harmless (an
index, a comment, a column more).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from backups.archive.loader import Loader
from backups.archive.manifest import Table
from backups.archive.schema_proof import fingerprint_of
from backups.proof.findings import Finding, guards_changed
from backups.proof.guard_rights import rights_over
from backups.proof.guard_ways import ROUTINES, Key, Ways, actions, last_of, other_bodies, parents
from backups.proof.guard_writes import calls
from providers.postgres.audit_trail.verifier import NAME as VERIFIER
from providers.postgres.schema.generations import Row, comparable
from providers.postgres.schema.names import parts, pieces, split

ON_THE_TABLE = frozenset(["trigger", "rule", "policy", "row security", "silent key"])
RELATIONS = frozenset(["table", "view", "materialized view", "foreign table"])
LEADING = re.compile(
    "search_path|session_replication_role|row_security|event_triggers|preload_libraries|transform_null_equals|plpgsql"
)
HARMLESS = re.compile(
    r" WITH \([^)]*\)|; -- TOAST [^;]*|; -- TABLESPACE [^;]*|; -- REPLICA IDENTITY[^;]*|; -- CLUSTERED| NOT VALID$"
)
VALUED = re.compile(r"( NOT NULL)?( GENERATED .*?)?(?:; -- .*)?$", re.DOTALL)  # the end of a column's row
WORDS = {"value": "default or computed value of", "not null": "NOT NULL of"}
VALUES = ("not null", "value")
CODE = frozenset(["function", "procedure", "aggregate", "type", "operator"])
RENAMED = frozenset(["constraint", "index"])
RUNS = re.compile(r"(?:function|state|final|combine) (\S+)")
SYMBOL = r"+*/<>=~!@#%^&|`?-"
USUAL = frozenset(["-", "integer", "bigint", "numeric", "text", "boolean"])  # "-" is none


@dataclass(frozen=True)
class Beside:
    """Event triggers and functions that are looked at in both runs."""

    watching: Collection[str]
    routines: Collection[str]


def changes_of_guards(loader: Loader, earlier_run: Loader) -> list[Finding]:
    """Nothing where one of the runs has no fingerprint, or the server's major version prints definitions otherwise."""
    before, now = fingerprint_of(earlier_run), fingerprint_of(loader)
    majors = {run.manifest.source.server_version.partition(".")[0] for run in (loader, earlier_run)}
    if not before or not now or len(majors) > 1:
        return []
    before, now = map(list, comparable(before, now))
    found = [(table.qualified, *guard_changes(before, now, table)) for table in earlier_run.manifest.audit_tables]
    return [guards_changed(name, changes, mark) for name, changes, mark in found if changes]


def guard_changes(before: Sequence[Row], now: Sequence[Row], table: Table) -> tuple[list[str], str]:
    """Sentences, and a mark that is the same for the same changes. Pure."""
    full = _full(table)
    ways = Ways(before, full), Ways(now, full)
    beside = Beside(
        watching={*ways[0].watching(), *ways[1].watching()},
        routines={row[1] for row in before if row[0] in ROUTINES}.intersection(ways[1].callable),
    )
    was, there = _guards(ways[0], beside), _guards(ways[1], beside)
    said = [*was.values(), *(row[3] for row in before if row[0] == "column" and row[2] == full)]
    code = _called(before, said)
    was, there = was | code, there | _called(now, [*said, *code.values()])
    columns = {row[1] for row in before if row[0] == "column"} & {row[1] for row in now if row[0] == "column"}
    kept = {_nameless(key, text) for key, text in there.items()}
    keys = sorted(key for key in was.keys() | there.keys() if was.get(key) != there.get(key))
    changed = [key for key in keys if _matters(key, was.get(key), there.get(key), full, columns)]
    changed = [key for key in changed if key in there or key[0] not in RENAMED or _nameless(key, was[key]) not in kept]
    found = {key: (was.get(key), there.get(key)) for key in changed}
    found |= _beside(before, ways[1]) | other_bodies(before, now, [*said, *was.values(), *there.values()])
    texts = [_told(key, *found[key]) for key in sorted(found)]
    mark = "".join(f"{key}{found[key][0]}{found[key][1]}" for key in sorted(found))
    return texts, hashlib.sha256(mark.encode()).hexdigest()


def _beside(before: Sequence[Row], ways: Ways) -> dict[Key, tuple[str | None, str | None]]:
    known = {(row[0], row[1]): row[3] for row in before}
    return {key: (known.get(key), text) for key, text in ways.code.items() if known.get(key) != text}


def _guards(ways: Ways, beside: Beside) -> dict[Key, str]:
    rows, full = ways.rows, ways.full
    guards: dict[Key, str] = {("right", right): "" for right in rights_over(rows, ways, beside.routines)}
    for kind, name, of, text in rows:
        if kind == "column" and of == full and (match := VALUED.search(text)):
            guards |= {(word, name): part for word, part in zip(VALUES, match.groups(), strict=True) if part}
        elif kind == "default" and of == full:
            guards["value", name] = text
        elif _guards_it(kind, name, of, text, full) or (kind == "event trigger" and name in beside.watching):
            guards[kind, name] = guards.get((kind, name), "") + HARMLESS.sub("", text)
    return guards


def _guards_it(kind: str, name: str, of: str, text: str, full: str) -> bool:
    if kind in ON_THE_TABLE or kind == "constraint":
        return of == full
    if kind == "index":
        return of == full and "CREATE UNIQUE INDEX" in text
    if kind in ("function", "procedure"):
        return name.partition("(")[0].rpartition(".")[2] == VERIFIER
    if kind in RELATIONS:
        return name.rpartition(".")[2] == full.rpartition(".")[2] or (kind == "table" and full in parents(text))
    return kind == "settings" and bool(LEADING.search(text))


def _called(rows: Sequence[Row], texts: Sequence[str]) -> dict[Key, str]:
    """Code and domains that these texts name, and what those name; a namesake elsewhere may be what is called."""
    known = [(_named(row), row) for row in rows if row[0] in CODE]
    checks = [row for row in rows if row[0] == "constraint"]
    found: dict[Key, str] = {}
    whole = "\n".join(texts)
    while texts:
        said = "\n".join(texts)
        called = frozenset[str]().union(*map(calls, texts))
        more = [
            row
            for name, row in known
            if (row[0], row[1]) not in found
            and (name in called if isinstance(name, str) else name.search(said) and _fits(row, whole))
        ]
        more += [row for row in checks if row[2] in {each[1] for each in more}]
        found |= {(kind, name): text for kind, name, _, text in more}
        texts = [_runs(row) for row in more]
        whole = "\n".join([whole, *texts])
    return found


def _named(row: Row) -> str | re.Pattern[str]:
    """How a text names it: code by its last name and a bracket, a domain in full, as PostgreSQL prints it."""
    kind, name, _, text = row
    if kind == "type":
        return re.compile(rf"{re.escape(name)}(?![\w$])" if text.startswith("CREATE DOMAIN ") else "(?!)")
    if kind != "operator":
        return last_of(name)
    return re.compile(rf"(?<![{SYMBOL}]){re.escape(_operator(name)[0])}(?![{SYMBOL}])")


def _operator(name: str) -> tuple[str, list[str]]:
    """Symbol and types of `schema.=== (left, right)`; of other text an empty symbol, which is met everywhere."""
    _, _, symbol, _, _, *types = [*pieces(name), *[""] * 5]
    return symbol, ["".join(part).strip() for part in split("".join(types).removesuffix(")"), ",")]


def _fits(row: Row, texts: str) -> bool:
    """Whether an operator's types may be met in these texts, which hold the table's columns."""
    kinds = _operator(row[1])[1] if row[0] == "operator" else []
    return all(
        kind in USUAL or kind.startswith("any") or re.search(rf"(?<![\w$]){re.escape(parts(kind)[-1])}(?![\w$])", texts)
        for kind in kinds
    )


def _runs(row: Row) -> str:
    """Its text; for an operator or an aggregate the functions that it runs, as calls."""
    if row[0] not in ("operator", "aggregate"):
        return row[3]
    return " ".join(f"{name}(" for name in RUNS.findall(row[3]))


def _nameless(key: Key, text: str) -> tuple[str, str]:
    last = next(reversed([*split(key[1], ".")]), "")
    return key[0], text.replace(f" {''.join(last)} ", " ", 1) if last else text


def _matters(key: Key, was: str | None, now: str | None, full: str, columns: Collection[str]) -> bool:
    """A check, a unique index or a column more is harmless; so is a namesake that went, or a right that was taken."""
    kind, name = key
    if kind in ("value", "not null"):
        return name in columns and (now is not None if kind == "value" else now is None)
    if was is None:
        return kind not in RENAMED or (kind == "constraint" and bool(actions(now or "")))
    return now is not None or not (kind == "right" or (kind in RELATIONS and name != full))


def _told(key: Key, was: str | None, now: str | None) -> str:
    change = "is new" if was is None else "is gone" if now is None else "changed"
    return f"{WORDS.get(key[0], key[0])} {key[1]} {change}"


def _full(table: Table) -> str:
    return ".".join(
        part if re.fullmatch(r"[a-z_][a-z0-9_]*", part) else '"' + part.replace('"', '""') + '"'
        for part in (table.schema, table.name)
    )
