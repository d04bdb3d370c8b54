"""What guards the audit trail, compared from run to run: triggers, checks, rights, verifier, names that lead elsewhere.

In: the fingerprints of two runs. Out: one Finding a table that says what changed; nothing for what is harmless (an
index, a comment, a column more).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

from backups.archive.loader import Loader
from backups.archive.manifest import Table
from backups.archive.schema_proof import fingerprint_of
from backups.proof.findings import Finding, guards_changed
from providers.postgres.audit_trail.verifier import NAME as VERIFIER
from providers.postgres.schema.generations import Row, as_first, is_first

ON_THE_TABLE = frozenset(["trigger", "rule", "policy", "row security", "silent key"])
RELATIONS = frozenset(["table", "view", "materialized view", "foreign table"])
GRANT = re.compile(r"GRANT (.+?) ON TABLE .+ TO (.+)$")
MIGHTY = frozenset(["UPDATE", "DELETE", "TRUNCATE", "TRIGGER"])
CALLED = re.compile(r"EXECUTE FUNCTION ([^(]+)\(")
LEADING = re.compile(r"search_path|session_replication_role|row_security")
HARMLESS = re.compile(r" WITH \([^)]*\)|; -- TOAST [^;]*|; -- TABLESPACE [^;]*|; -- CLUSTERED| NOT VALID$")
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
    was, there = _guards(before, table), _guards(now, table)
    keys = sorted(key for key in was.keys() | there.keys() if was.get(key) != there.get(key))
    changed = [key for key in keys if _matters(key, was.get(key), there.get(key), table)]
    texts = [_told(key, was.get(key), there.get(key)) for key in changed]
    mark = "".join(f"{key}{was.get(key)}{there.get(key)}" for key in changed)
    return texts, hashlib.sha256(mark.encode()).hexdigest()


def _guards(rows: Iterable[Row], table: Table) -> dict[Key, str]:
    rows = list(rows)
    full = _full(table)
    called = {name for row in rows if row[0] == "trigger" and row[2] == full for name in CALLED.findall(row[3])}
    guards: dict[Key, str] = {}
    for kind, name, of, text in rows:
        if kind == "grants" and name == f"table {full}":
            guards |= {("right", right): "" for right in _mighty(text)}
        elif _guards_it(kind, name, of, text, full, called, table):
            guards[kind, name] = HARMLESS.sub("", text)
    return guards


def _guards_it(kind: str, name: str, of: str, text: str, full: str, called: set[str], table: Table) -> bool:
    if kind in ON_THE_TABLE or kind == "constraint":
        return of == full
    if kind == "index":
        return of == full and "CREATE UNIQUE INDEX" in text
    if kind in ("function", "procedure"):
        plain = name.partition("(")[0]
        return plain in called or plain.rpartition(".")[2] == VERIFIER
    if kind in RELATIONS:
        return name.rpartition(".")[2] == full.rpartition(".")[2] or (kind == "table" and f"INHERITS ({full}" in text)
    return kind == "settings" and bool(LEADING.search(text))


def _matters(key: Key, was: str | None, now: str | None, table: Table) -> bool:
    """A check or a unique index more is harmless; so is a namesake that went, or a right that was taken."""
    kind, name = key
    if was is None:
        return kind not in ("constraint", "index")
    return now is not None or not (kind == "right" or (kind in RELATIONS and name != _full(table)))


def _mighty(text: str) -> list[str]:
    grants = [match for line in text.split("; ") if (match := GRANT.match(line))]
    return [
        f"{right} to {match[2]}"
        for match in grants
        for right in match[1].replace(" WITH GRANT OPTION", "").split(", ")
        if right in MIGHTY
    ]


def _told(key: Key, was: str | None, now: str | None) -> str:
    change = "is new" if was is None else "is gone" if now is None else "changed"
    return f"{key[0]} {key[1]} {change}"


def _full(table: Table) -> str:
    return ".".join(
        part if re.fullmatch(r"[a-z_][a-z0-9_]*", part) else '"' + part.replace('"', '""') + '"'
        for part in (table.schema, table.name)
    )
