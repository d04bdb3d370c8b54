"""What a restore does to a schema on purpose: one at Supabase brings an earlier one back, ours can put one beside, and
leaves checks of live tables as NOT VALID that rows of the run pass no longer.

In: an environment, what is expected now, what is seen. Out: the reason to trust what is seen, empty without one; which
changes are left, without those that a restore made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from backups.models.provider_backup import KINDS
from migrations_registry.fingerprint import Change, Fingerprint, compare
from migrations_registry.fingerprint.compare import REMOVED, WHOLE
from migrations_registry.models import SchemaFingerprint
from operations.models import Environment, Operation
from providers.postgres.schema.names import parts


def because(environment: Environment, expected: SchemaFingerprint, seen: Fingerprint) -> str:
    """Only exactly the schema that was trusted at the newest restore's target is explained by it; nothing else."""
    done = Operation.objects.filter(kind__in=KINDS, environment=environment, result__has_key="restored_at")
    last = done.order_by("-ended_at").first()
    if last is None or expected.trusted_at is None:
        return ""
    target, ended = (datetime.fromisoformat(str(last.result[name])) for name in ("restored_to", "restored_at"))
    if ended <= expected.trusted_at:
        return ""
    rows = SchemaFingerprint.objects.filter(environment=environment, trusted_at__lte=target)
    earlier = rows.order_by("-trusted_at", "-pk").first()
    if earlier is None or compare(earlier.fingerprint(), seen):
        return ""
    return f"restored at Supabase to {target:%Y-%m-%d %H:%M:%S} UTC by {last.pk}"


BESIDE = "schema:"
PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")
ABOUT = {"comment", "grants"}
ON_TABLES = {"policy", "trigger", "rule", "table constraint"}
INSIDE = (WHOLE - {"extension"}) | ON_TABLES
INSIDE |= {
    "schema",
    "column",
    "constraint",
    "default",
    "index",
    "statistics",
    "row security",
    "collation",
    "conversion",
}
INSIDE |= {f"text search {each}" for each in ("configuration", "dictionary", "parser", "template")}


def without_copies(
    environment: Environment, expected: SchemaFingerprint, changes: Sequence[Change]
) -> tuple[list[Change], str]:
    """A schema that a restore made since then may be there; one that any restore made may be gone again. A check that
    one onto live tables named since then may be NOT VALID."""
    made = Operation.objects.filter(kind="backups.restore", environment=environment, status="succeeded")
    left, reasons = list(changes), []
    for operation in made.filter(parameters__target__startswith=BESIDE):
        name = str(operation.parameters["target"]).removeprefix(BESIDE)
        is_new = expected.trusted_at is None or (operation.ended_at and operation.ended_at > expected.trusted_at)
        own = [each for each in left if is_inside(each, name) and (is_new or each.change == REMOVED)]
        if own:
            left = [each for each in left if each not in own]
            reasons.append(f"the schema {name} is a copy, made by {operation.pk}")
    since = {"ended_at__gt": expected.trusted_at} if expected.trusted_at else {}
    for operation in made.filter(parameters__target="live", backup_restore__isnull=False, **since):
        known = {tuple(check) for check in operation.backup_restore.report.get("not_valid", ())}
        own = [each for each in left if parts(each.name) in known and _is_left_not_valid(each)]
        left = [each for each in left if each not in own]
        reasons += [f"{each.name} is NOT VALID since {operation.pk}" for each in own]
    return left, "; ".join(reasons)


def _is_left_not_valid(change: Change) -> bool:
    return change.kind == "constraint" and change.after == f"{change.before} NOT VALID"


def is_inside(change: Change, schema: str) -> bool:
    """Whether it is the schema itself or a thing in it, by where its name in the catalogue says that it lies.

    What lies nowhere (roles, publications, extensions, jobs, default grants) is inside of no schema, whatever its name.
    """
    quoted = {'"' + schema.replace('"', '""') + '"'} | ({schema} if PLAIN.fullmatch(schema) else set())
    kind, name = change.kind, change.name
    if kind in ABOUT:
        kind = next((each for each in sorted(INSIDE, key=len, reverse=True) if name.startswith(f"{each} ")), "")
        name = name.removeprefix(f"{kind} ")
    if kind == "schema":
        return name in quoted
    if kind in ON_TABLES:
        name = name.rpartition(" on ")[2]
        if name.count('"') % 2:
            return False  # that was inside of a quoted name
    return kind in INSIDE and any(name.startswith(f"{each}.") for each in quoted)
