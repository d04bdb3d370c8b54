"""Notes about an incident: one entry of the ledger each, which nobody changes afterwards; and all of it as a text.

In: apps register how a subject is found by its key. Out: notes oldest first, and the text for those who look back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction

from ledger import registry
from ledger.models import Entry
from ledger.services import record
from operations.authority import why_not
from operations.engine.wording import said
from operations.models import Environment
from operations.notify.outbox import whom_to_call
from providers.errors import Refused

NOTED = "operations.noted"
WRITES = "operations.close_task"
BEFORE = timedelta(hours=1)
MOST = 500


@dataclass(frozen=True)
class Subject:
    """What notes are about. `sees` is the permission that its page asks for; `until` None: it goes on."""

    title: str
    environment: Environment
    since: datetime
    until: datetime | None
    url: str
    sees: str
    facts: tuple[str, ...] = ()


Find = Callable[[str], Subject | None]
_finds: dict[str, Find] = {}


def register(kind: str, find: Find) -> None:
    """Offer notes about `<kind>-<key>`."""
    _finds[kind] = find


def subject_of(about: str) -> Subject | None:
    """None where there is no such thing."""
    kind, _, key = about.partition("-")
    find = _finds.get(kind)
    return find(key) if find and key else None


def why_not_write(by: User, environment: Environment) -> str:
    return why_not(by, WRITES, environment, "Your role may read notes, not write them.")


def write(about: str, text: str, *, by: User) -> Entry:
    """One note. Raise Refused or PermissionDenied."""
    subject = subject_of(about)
    if subject is None:
        raise Refused("There is nothing of that name to note anything about. Nothing was written.")
    if refusal := why_not_write(by, subject.environment):
        raise PermissionDenied(f"{refusal} Nothing was written.")
    if not (stored := said(text).strip()):
        raise Refused("The note is empty. Nothing was written.")
    with transaction.atomic():
        data = {"title": subject.title, "text": stored}
        return record(NOTED, actor=by.username, environment=subject.environment.slug, subject=about, data=data)


def notes_of(about: str) -> list[Entry]:
    """Oldest first."""
    return list(Entry.objects.filter(subject=about, code=NOTED).order_by("sequence")[:MOST])


def postmortem(about: str, subject: Subject) -> str:
    """What is known of it, for those who look back: facts, notes, all that the ledger holds from an hour before."""
    began, ended = subject.since, subject.until
    entries = Entry.objects.filter(environment=subject.environment.slug, at__gte=began - BEFORE)
    if ended:
        entries = entries.filter(at__lte=ended)
    timeline = list(entries.exclude(code=NOTED).order_by("sequence")[: MOST + 1])
    notes = notes_of(about)
    lines = [
        f"# {subject.title}",
        "",
        f"Environment: {subject.environment.name}",
        f"Began: {_at(began)}",
        f"Ended: {_at(ended)}, after {str(ended - began).partition('.')[0]}" if ended else "Ended: not yet",
        *filter(None, whom_to_call(subject.environment).split("\n")),
        *subject.facts,
        "",
        "## Notes",
        "",
        *(f"- {_at(note.at)}, {note.actor}: {note.payload['text']}" for note in notes),
        *([] if notes else ["Nobody wrote any."]),
        "",
        "## From the ledger, from an hour before",
        "",
        *(f"- {_at(entry.at)}: {registry.sentence_for(entry)}" for entry in timeline[:MOST]),
        *([f"- and more; these are the first {MOST}."] if len(timeline) > MOST else []),
        "",
    ]
    return "\n".join(lines)


def _at(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
