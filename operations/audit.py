"""Rows that people edit in the admin: each change is a ledger entry, and fewer votes are an alarm to all approvers.

In: a row as it was and as it is now. Out: `<app>.<model>.added|changed` with before and after of what differs, and a
message when an environment became weaker, both in the caller's transaction.
"""

from __future__ import annotations

import json
from datetime import datetime

from django.db.models import Model

from ledger import registry
from ledger.models import Entry
from ledger.services import record
from operations.authority import VOTE, holders
from operations.models import Environment, Risk
from operations.models.ulid import new_ulid
from operations.navigation import page_of
from operations.notify.outbox import addresses, enqueue

Changes = dict[str, dict[str, object]]
_LONGEST = 80


def note(before: Model | None, after: Model, *, by: str) -> Entry | None:
    """Record what differs (`before` None: the row is new); None when nothing does. Call it last in the transaction."""
    changes = differences(before, after)
    if before is not None and not changes:
        return None
    if isinstance(before, Environment) and isinstance(after, Environment):
        tell_if_weaker(before, after, by=by)
    owner = after if isinstance(after, Environment) else getattr(after, "environment", None)
    return record(
        f"{after._meta.label_lower}.{'added' if before is None else 'changed'}",
        actor=by,
        environment=owner.slug if isinstance(owner, Environment) else "",
        subject=str(after)[:200],
        data={"changes": changes},
    )


def differences(before: Model | None, after: Model) -> Changes:
    """The editable fields whose values differ; of a new row those that say something."""
    was, now = _values(before), _values(after)
    if before is None:
        now = {name: value for name, value in now.items() if value not in (None, "")}
    return {name: {"before": was.get(name), "after": now[name]} for name in now if was.get(name) != now[name]}


def _values(row: Model | None) -> dict[str, object]:
    fields = [field for field in row._meta.concrete_fields if field.editable] if row is not None else []
    return {field.name: _plain(getattr(row, field.name)) for field in fields}


def _plain(value: object) -> object:
    """The value as the ledger takes it: text, a whole number, yes or no, or nothing."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Model) else json.dumps(value, ensure_ascii=False, default=str)


def weaker(before: Environment, after: Environment) -> list[str]:
    """In which ways the environment now asks for less, in words."""
    ways = ["It is no longer protected."] if before.protected and not after.protected else []
    for risk in Risk.values:
        if after.own_votes(risk) < before.own_votes(risk):
            now, then = after.own_votes(risk), before.own_votes(risk)
            ways.append(f"{risk.capitalize()} acts need {now} instead of {then} votes.")
    return ways


def tell_if_weaker(before: Environment, after: Environment, *, by: str) -> None:
    """Queue a message to every approver when an environment asks for fewer votes than it did."""
    if ways := weaker(before, after):
        tell_approvers(after, f"Fewer votes on {after}: changed by {by}", ways)


def tell_approvers(environment: Environment, subject: str, lines: list[str]) -> None:
    """Queue a message to everybody who votes: what an environment is, or asks for, changed."""
    body = "\n".join([*lines, "If you did not agree to this, ask them now."])
    path, people = page_of(environment), holders(VOTE, environment)
    enqueue(f"environment:{new_ulid()}", subject=subject, body=body, path=path, to=addresses(people))


def speak(label: str, noun: str) -> None:
    """Register the sentences of the rows of one model: “amir changed the environment production: …”."""

    table = {
        f"{label}.added": f"{{actor}} added the {noun} {{subject}}",
        f"{label}.changed": f"{{actor}} changed the {noun} {{subject}}: {{what}}",
    }
    registry.sentences(table, {"what": _changes})


def _changes(facts: registry.Facts) -> str:
    return "; ".join(_say(name, change) for name, change in facts["changes"].items())


def _say(name: str, change: dict[str, object]) -> str:
    return f"{name.replace('_', ' ')} from {_word(change['before'])} to {_word(change['after'])}"


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "nothing" if value in (None, "") else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
