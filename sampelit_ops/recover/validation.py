"""Whether what is said to be lost was ever there: a name that no run and no look at the schema ever held is refused.

In: an environment, a Lost. Out: nothing, or Refused. Without any look, and in schemas that are not looked at, nobody
can say so, and nothing is refused.
"""

from __future__ import annotations

from itertools import product

from django.db.models import Exists, Max, Min, Q

from backups.models import Run
from migrations_registry.models import SchemaFingerprint
from operations.models import Environment
from providers import postgres
from providers.errors import Refused
from sampelit_ops.recover.loss import Lost

PARTS = ("table", "rows", "column")


def refuse_unknown(environment: Environment, lost: Lost) -> None:
    """Raises Refused where the table, or the column of a table that no run holds, was never seen."""
    if lost.kind not in PARTS or lost.table.split(".")[0] in postgres.PLATFORM_SCHEMAS:
        return
    name = f"{lost.table}.{lost.column}" if lost.column else lost.table
    looks = SchemaFingerprint.objects.filter(environment=environment)
    runs = Run.objects.filter(policy__environment=environment, tables__contains=[lost.table])
    asked = Environment.objects.filter(pk=environment.pk).values_list(
        Exists(looks), Exists(looks.filter(_seen(name))), Exists(runs)
    )
    looked, seen, held = asked.get()
    if seen or held or not looked:
        return
    span = looks.aggregate(first=Min("taken_at"), last=Max("seen_at"))
    raise Refused(
        f"No run and no look at the schema of {environment} (from {span['first']:%Y-%m-%d %H:%M} to "
        f"{span['last']:%Y-%m-%d %H:%M} UTC) ever held {name}. Nothing was started. Check the name. What came and went "
        "between two looks can be only in Supabase's point-in-time window: backups.provider_pitr puts all of it back."
    )


def _seen(name: str) -> Q:
    """The look names it, each part as PostgreSQL would quote it or not."""
    condition = Q()
    for parts in product(*((part, f'"{part}"') for part in name.split("."))):
        condition |= Q(objects_json__contains=[[".".join(parts)]])
    return condition
