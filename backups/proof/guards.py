"""What guards the audit trail, compared from run to run: triggers, checks, rights, verifier, names that lead elsewhere.

In: the fingerprints of two runs. Out: one Finding a table that says what changed; nothing for what is harmless (an
index, a comment, a column more).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence

from backups.archive.loader import Loader
from backups.archive.manifest import Table
from backups.archive.schema_proof import fingerprint_of
from backups.proof.findings import Finding, guards_changed
from backups.proof.guard_rights import rights_over
from providers.postgres.audit_trail.verifier import NAME as VERIFIER
from providers.postgres.schema.generations import Row, as_first, is_first

ON_THE_TABLE = frozenset(["trigger", "rule", "policy", "row security", "silent key"])
RELATIONS = frozenset(["table", "view", "materialized view", "foreign table"])
LEADING = re.compile(r"search_path|session_replication_role|row_security")
HARMLESS = re.compile(
    r" WITH \([^)]*\)|; -- TOAST [^;]*|; -- TABLESPACE [^;]*|; -- REPLICA IDENTITY[^;]*|; -- CLUSTERED| NOT VALID$"
)
VALUED = re.compile(r"( NOT NULL)?( GENERATED .*?)?(?:; -- .*)?$", re.DOTALL)  # the end of a column's row
PART = re.compile(r'"(?:[^"]|"")*+"?|[^".]+')
WORDS = {"value": "default or computed value of", "not null": "NOT NULL of"}
VALUES = ("not null", "value")
CODE = frozenset(["function", "procedure", "type"])
RENAMED = frozenset(["constraint", "index"])
Key = tuple[str, str]


def changes_of_guards(loader: Loader, earlier_run: Loader) -> list[Finding]:
    """Nothing where one of the runs has no fingerprint, or the server's major version prints definitions otherwise."""
    before, now = fingerprint_of(earlier_run), fingerprint_of(loader)
    majors = {run.manifest.source.server_version.partition(".")[0] for run in (loader, earlier_run)}
    if not before or not now or len(majors) > 1:
        return []
    if is_first(before) != is_first(now):
        before, now = as_first(before), as_first(now)
    found = [(table.qualified, *guard_changes(before, now, table)) for table in earlier_run.manifest.audit_tables]
    return [guards_changed(name, changes, mark) for name, changes, mark in found if changes]


def guard_changes(before: Sequence[Row], now: Sequence[Row], table: Table) -> tuple[list[str], str]:
    """Sentences, and a mark that is the same for the same changes. Pure."""
    full = _full(table)
    was, there = _guards(before, full), _guards(now, full)
    said = [*was.values(), *(row[3] for row in before if row[0] == "column" and row[2] == full)]
    code = _called(before, said)
    was, there = was | code, there | _called(now, [*said, *code.values()])
    columns = {row[1] for row in before if row[0] == "column"} & {row[1] for row in now if row[0] == "column"}
    kept = {_nameless(key, text) for key, text in there.items()}
    keys = sorted(key for key in was.keys() | there.keys() if was.get(key) != there.get(key))
    changed = [key for key in keys if _matters(key, was.get(key), there.get(key), full, columns)]
    changed = [key for key in changed if key in there or key[0] not in RENAMED or _nameless(key, was[key]) not in kept]
    texts = [_told(key, was.get(key), there.get(key)) for key in changed]
    mark = "".join(f"{key}{was.get(key)}{there.get(key)}" for key in changed)
    return texts, hashlib.sha256(mark.encode()).hexdigest()


def _guards(rows: Sequence[Row], full: str) -> dict[Key, str]:
    guards: dict[Key, str] = {("right", right): "" for right in rights_over(rows, full)}
    for kind, name, of, text in rows:
        if kind == "column" and of == full and (match := VALUED.search(text)):
            guards |= {(word, name): part for word, part in zip(VALUES, match.groups(), strict=True) if part}
        elif kind == "default" and of == full:
            guards["value", name] = text
        elif _guards_it(kind, name, of, text, full):
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
        return name.rpartition(".")[2] == full.rpartition(".")[2] or (kind == "table" and f"INHERITS ({full}" in text)
    return kind == "settings" and bool(LEADING.search(text))


def _called(rows: Sequence[Row], texts: Sequence[str]) -> dict[Key, str]:
    """Code and domains that these texts name, and what those name; a namesake elsewhere may be what is called."""
    known = [(_word(row), row) for row in rows if row[0] in CODE]
    checks = [row for row in rows if row[0] == "constraint"]
    found: dict[Key, str] = {}
    while texts:
        said = "\n".join(texts)
        more = [row for word, row in known if (row[0], row[1]) not in found and word.search(said)]
        more += [row for row in checks if row[2] in {each[1] for each in more}]
        found |= {(kind, name): text for kind, name, _, text in more}
        texts = [row[3] for row in more]
    return found


def _word(row: Row) -> re.Pattern[str]:
    """How a text names it: code by its last name and a bracket, a domain in full, as PostgreSQL prints it."""
    kind, name, _, text = row
    last = PART.findall(name.partition("(")[0])[-1:]
    if kind == "type" or not last:
        return re.compile(rf"{re.escape(name)}(?![\w$])" if text.startswith("CREATE DOMAIN ") else "(?!)")
    return re.compile(rf'(?<![\w$]){re.escape(last[0].strip(chr(34)))}"?\s*\(')


def _nameless(key: Key, text: str) -> tuple[str, str]:
    last = PART.findall(key[1])[-1:]
    return key[0], text.replace(f" {last[0]} ", " ", 1) if last else text


def _matters(key: Key, was: str | None, now: str | None, full: str, columns: Collection[str]) -> bool:
    """A check, a unique index or a column more is harmless; so is a namesake that went, or a right that was taken."""
    kind, name = key
    if kind in ("value", "not null"):
        return name in columns and (now is not None if kind == "value" else now is None)
    if was is None:
        return kind not in RENAMED
    return now is not None or not (kind == "right" or (kind in RELATIONS and name != full))


def _told(key: Key, was: str | None, now: str | None) -> str:
    change = "is new" if was is None else "is gone" if now is None else "changed"
    return f"{WORDS.get(key[0], key[0])} {key[1]} {change}"


def _full(table: Table) -> str:
    return ".".join(
        part if re.fullmatch(r"[a-z_][a-z0-9_]*", part) else '"' + part.replace('"', '""') + '"'
        for part in (table.schema, table.name)
    )
