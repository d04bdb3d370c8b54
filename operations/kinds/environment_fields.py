"""What people may say about an environment, as parameters of an operation: texts in, values of the model out, and back.

In: texts as a person types them; `-` empties a field. Out: canonical texts, values, a valid row; or Refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime

from operations.databases import is_portal
from operations.dsns import who_answers
from operations.engine.specs import Parameter
from operations.models import Environment
from operations.models.environment import PURPOSES
from providers.errors import Refused
from providers.postgres.identity import Identity

EMPTY = "-"
YES_NO = [("yes", "Yes"), ("no", "No")]
DSNS = tuple(f"{purpose}_dsn_env" for purpose in PURPOSES)
VOTES = ("votes_routine", "votes_sensitive", "votes_destructive")
FREEZE = ("frozen_until", "freeze_reason")
SETTINGS = ("name", "protected", "supabase_ref", "health_url", "owners", "runbook_url", *DSNS, *VOTES)
CHANGEABLE = (*SETTINGS, *FREEZE)


_LABELS = {
    "supabase_ref": "Supabase project",
    "health_url": "Health URL",
    "runbook_url": "Runbook URL",
    "frozen_until": "Frozen until (UTC)",
    **{f"{purpose}_dsn_env": f"{purpose.capitalize()} DSN's variable" for purpose in PURPOSES},
    **{f"votes_{risk}": f"Votes for what is {risk}" for risk in ("routine", "sensitive", "destructive")},
}


def label_of(name: str) -> str:
    """A field as its form, its request and its history call it."""
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def told(name: str, was: str, text: str) -> str:
    """A change in words."""
    shown = [text[:16].replace("T", " ") if name == "frozen_until" else text for text in (was, text)]
    return f"{label_of(name)}: {' → '.join('empty' if one == EMPTY else one for one in shown)}"


def parameters(names: Iterable[str], required: Iterable[str] = ()) -> list[Parameter]:
    return [_parameter(name, name in required) for name in names]


def _parameter(name: str, required: bool) -> Parameter:
    field = Environment._meta.get_field(name)
    choices = (lambda _: YES_NO) if name == "protected" else None
    if name == "kind":
        choices = lambda _: [choice for choice in Environment.Kind.choices if choice[0] != "portal"]  # noqa: E731
    return Parameter(
        name, label_of(name), required=required, help=str(getattr(field, "help_text", "")), choices=choices
    )


def text_of(name: str, value: object) -> str:
    """A value as people type it."""
    if name == "protected":
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="minutes")
    return EMPTY if value in (None, "") else str(value)


def values_of(given: Mapping[str, object]) -> dict[str, Any]:
    """Raises Refused naming the field that cannot be read."""
    return {name: _value(name, str(text).strip()) for name, text in given.items()}


def _value(name: str, text: str) -> Any:
    if name == "protected":
        if text not in ("yes", "no"):
            raise Refused("protected is yes or no. Nothing was requested.")
        return text == "yes"
    if name in VOTES:
        if text != EMPTY and not text.isdecimal():
            raise Refused(f"{name} is a number, or {EMPTY} for the default. Nothing was requested.")
        return None if text == EMPTY else int(text)
    if name == "frozen_until":
        return None if text == EMPTY else _moment(text)
    return "" if text == EMPTY else text


def _moment(text: str) -> datetime:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise Refused("frozen_until is a date and time in UTC, such as 2026-11-30T18:00. Nothing was requested.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def changed(environment: Environment, values: Mapping[str, Any]) -> Environment:
    """A copy with these values, checked like a form. Raises Refused with everything that is wrong."""
    after = copy(environment)
    for name, value in values.items():
        setattr(after, name, value)
    try:
        after.full_clean()
    except ValidationError as error:
        wrong = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
        raise Refused(f"{wrong.replace('__all__: ', '')} Nothing was requested.") from None
    _refuse_taken(after)
    return after


def _refuse_taken(after: Environment) -> None:
    """A variable has one environment, and the portal's own database is none of the product."""
    for other in Environment.objects.exclude(pk=after.pk):
        if shared := {name.upper() for name in other.variables()} & {name.upper() for name in after.variables()}:
            raise Refused(f"{', '.join(sorted(shared))} leads to {other} already. Nothing was requested.")
    if "DATABASE_URL" in after.variables() and after.kind != Environment.Kind.PORTAL:
        raise Refused("DATABASE_URL is the portal's own database. Nothing was requested.")


def met(after: Environment) -> list[Identity]:
    """Who answers behind its variables in this process, each once. Raises Refused where the portal's own does."""
    found = {identity for purpose in PURPOSES if (identity := who_answers(after, purpose))}
    for identity in found:
        if is_portal(_as(after, identity)) and after.kind != Environment.Kind.PORTAL:
            raise Refused(f"A variable of {after} leads to the portal's own database. Nothing was requested.")
    return sorted(found, key=str)


def whose(after: Environment, found: Iterable[Identity]) -> list[Environment]:
    """The environments whose database one of these is."""
    return [other for identity in found for other in Environment.objects.of_one_database(_as(after, identity))]


def _as(environment: Environment, found: Identity) -> Environment:
    row = copy(environment)
    row.system_identifier, row.database_oid = found.system_identifier, found.database_oid
    row.database_name = found.database_name
    return row
