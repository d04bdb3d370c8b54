"""Once a month somebody says by name that they looked at the list and that it is right.

In: the readings. Out: an entry with the list's digest; the doctor is amber when the newest is older than a month, or
when the list is another one by now.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction

from ledger.models import Entry
from ledger.services import record
from operations.authority import why_not
from operations.doctor import Check
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.models import Environment
from operations.periodic.clock import database_time
from providers.errors import Refused
from sampelit_ops.outsiders.readings import Reading, kept

ATTESTED = "sampelit_ops.outsiders.attested"
MAY_ATTEST = "auth.change_user"
MONTH = timedelta(days=31)
WHY = "Whoever Render, Supabase, a database or a bucket obeys acts without a vote and without an entry here."


def digest(readings: list[Reading]) -> str:
    """Of who may do what where; when it was read, or could not be, changes nothing."""
    return digest_of(sorted([reading.place, each.who, each.can] for reading in readings for each in reading.outsiders))


def why_not_attest(person: User) -> str:
    return why_not(person, MAY_ATTEST, None, "Your role may look at this but not attest it.")


@transaction.atomic
def attest(*, by: User, seen: str) -> None:
    """This list (its digest, as it was shown) is right. Raises PermissionDenied, Refused and StepUpNeeded."""
    if refusal := why_not_attest(by):
        raise PermissionDenied(f"{refusal} Nothing was written down.")
    readings = kept()[1]
    if not readings or digest(readings) != seen:
        raise Refused("The list is another one by now. Nothing was written down; look at it once more.")
    count = sum(len(reading.outsiders) for reading in readings)
    spend(by.username, Binding("outsiders.attest", f"{count} in all", seen))
    unread = [reading.place for reading in readings if reading.problem]
    record(ATTESTED, actor=by.username, data={"content_sha256": seen, "count": count, "unread": unread})


def last() -> Entry | None:
    return Entry.objects.filter(code=ATTESTED).order_by("-sequence").first()


def outsiders(environment: Environment | None) -> Iterator[Check]:
    """Whether somebody attested this very list within a month."""
    if environment is not None:
        return
    readings, entry = kept()[1], last()
    fix = "Look at Doctor → Who could pass by us, take away what nobody needs, and attest the rest."
    tone = "idle" if settings.DEMO else "warn"
    if entry is None:
        yield Check("outsiders", tone, "nobody has attested who could pass by", WHY, fix)
    elif database_time() - entry.at > MONTH:
        yield Check("outsiders", tone, f"attested by {entry.actor} on {entry.at:%Y-%m-%d}, over a month ago", WHY, fix)
    elif json.loads(entry.data)["content_sha256"] != digest(readings):
        yield Check("outsiders", tone, f"changed since {entry.actor} attested it on {entry.at:%Y-%m-%d}", WHY, fix)
    else:
        yield Check("outsiders", "ok", f"attested by {entry.actor} on {entry.at:%Y-%m-%d}", WHY)
