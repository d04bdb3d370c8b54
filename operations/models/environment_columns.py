"""Columns of an environment: names that lead to it, and what it asks for, signed, so that SQL past the portal shows.

In: a row's values. Out: its code, which covers a revision that only grows, so that an older row
cannot be put back. Where a row is not genuine, the ledger tells the most votes that it ever asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Replace, Upper

from ledger import authenticity, canonical
from ledger.authenticity import is_genuine
from ledger.models import Entry

SIGNED = (
    *("slug", "kind", "protected", "supabase_ref", "export_dsn_env", "migration_dsn_env", "restore_dsn_env"),
    *("votes_routine", "votes_sensitive", "votes_destructive", "revision"),
)
_ENTRIES = ("operations.environment.added", "operations.environment.changed")
_SALT = "operations.environment"

if TYPE_CHECKING:
    Number = models.PositiveIntegerField[int, int]
    Text = models.CharField[str, str]
else:
    Number, Text = models.PositiveIntegerField, models.CharField


class RevisionField(Number):
    """Grows by one with each save; a trigger lets nothing that is signed change without it."""

    def pre_save(self, model_instance: models.Model, add: bool) -> int:
        value = int(getattr(model_instance, self.attname)) + (not add)
        setattr(model_instance, self.attname, value)
        return value


class MacField(Text):
    """Signs what is saved, unless the row was read with a code that did not fit: that one stays unsigned."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        if not getattr(model_instance, "was_altered", False):
            setattr(model_instance, self.attname, mac_of(vars(model_instance)))
        return str(getattr(model_instance, self.attname))


def mac_of(values: dict[str, Any]) -> str:
    """The code of this process over these values."""
    return authenticity.make(_SALT, _text(values))


def shared_mac_of(values: dict[str, Any]) -> str:
    """The code that every process could make; a key that is published later signs what has it."""
    return authenticity.mac(_SALT, _text(values), settings.SHARED_KEY)


def fits(values: dict[str, Any], mac: str) -> bool:
    """Whether a process of this portal that may say so wrote these values together."""
    return authenticity.holds(_SALT, _text(values), mac)


def _text(values: dict[str, Any]) -> str:
    return canonical.dumps({name: values[name] for name in SIGNED})


def least_votes(risk: str) -> int:
    """What no row lowers."""
    return int(settings.OPS_PASSKEY_VOTES) if risk == "destructive" else 0


def most_ever(slug: str, risk: str) -> int:
    """The most votes for this risk that an entry of this portal ever gave the environment; one query."""
    entries = Entry.objects.filter(code__in=_ENTRIES, subject=slug)
    return max((votes for entry in entries if is_genuine(entry) for votes in _votes(entry, f"votes_{risk}")), default=0)


def _votes(entry: Entry, name: str) -> Iterable[int]:
    changes = entry.payload.get("changes")
    change = changes.get(name) if isinstance(changes, dict) else None
    return [votes for votes in change.values() if isinstance(votes, int)] if isinstance(change, dict) else []


def variable_name(value: str) -> None:
    """Raise ValidationError unless `value` is the name of an environment variable (a pasted secret is not)."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{2,99}", value):
        raise ValidationError("Give the name of a variable (capital letters, digits, _), never its value.")


def folded(slug: str) -> str:
    """What of a slug is in the names of its variables: `Pr-1` and `pr_1` are one."""
    return slug.upper().replace("-", "_")


FOLDED = Upper(Replace("slug", models.Value("-"), models.Value("_")))
CONSTRAINTS = [
    models.CheckConstraint(
        name="environment_kind_known",
        condition=models.Q(kind__in=["production", "staging", "preview", "portal"]),
    ),
    models.CheckConstraint(
        name="environment_health_url_http",
        condition=models.Q(health_url="") | models.Q(health_url__regex=r"^https?://"),
    ),
    models.CheckConstraint(
        name="environment_runbook_url_http",
        condition=models.Q(runbook_url="") | models.Q(runbook_url__regex=r"^https?://"),
    ),
    models.UniqueConstraint(
        FOLDED,
        name="environment_slug_once",
        violation_error_message="Another environment's slug names the same variables; choose another one.",
    ),
    models.UniqueConstraint(
        name="environment_supabase_ref_once",
        fields=["supabase_ref"],
        condition=~models.Q(supabase_ref=""),
        violation_error_message=(
            "Another environment has this Supabase project; its votes guard it. Empty the ref there first."
        ),
    ),
]
