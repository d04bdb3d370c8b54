"""The lists themselves: Render's workspaces, Supabase's organisations, owners of tables, keys of buckets.

In: the providers and databases that this process reaches. Out: one reading per source, kept in a heartbeat; a source
that cannot be asked keeps its last answer and says why. No value of a key is read here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection

from deployments.render import client as render_client
from operations.dsns import reading_dsn
from operations.models import Environment, Heartbeat
from operations.periodic.clock import database_time
from operations.periodic.isolation import Failed, each, tell
from operations.supabase_projects import supabase
from providers import postgres
from providers.redact import redact

KEPT = "outsiders"
OWNERS = postgres.statements("outsiders")
NO_FACTOR = "without a second factor there"
Source = Callable[[], Iterator["Outsider"]]


@dataclass(frozen=True)
class Outsider:
    """`who` may do what `can` says, at the place of the reading; `note` is what should be mended, `part` the workspace
    or organisation that told it."""

    who: str
    can: str
    note: str = ""
    part: str = ""


@dataclass(frozen=True)
class Reading:
    """What one source said last (`at`, ISO), and why it says nothing newer."""

    place: str
    outsiders: list[Outsider] = field(default_factory=list)
    at: str = ""
    problem: str = ""


def read_all() -> list[Reading]:
    """Ask every source now; the daily duty, and the command."""
    before = {reading.place: reading for reading in kept()[1]}
    readings = [_read(place, source, before.get(place)) for place, source in _sources()]
    detail = {"readings": [asdict(reading) for reading in readings]}
    Heartbeat.objects.update_or_create(name=KEPT, defaults={"beat_at": database_time(), "detail": detail})
    return readings


def kept() -> tuple[Heartbeat | None, list[Reading]]:
    """The last round and what it found."""
    beat = Heartbeat.objects.filter(name=KEPT).first()
    rows: list[dict[str, Any]] = beat.detail.get("readings", []) if beat else []
    return beat, [Reading(**(row | {"outsiders": [Outsider(**each) for each in row["outsiders"]]})) for row in rows]


def _read(place: str, source: Source, before: Reading | None) -> Reading:
    last, found = before or Reading(place), set[Outsider]()
    try:
        for outsider in source():
            found.add(outsider)
        return Reading(place, sorted(found, key=str), database_time().isoformat())
    except Exception as error:
        answered = {outsider.part for outsider in found}  # each whole: what it said before is no longer so
        kept = {each for each in last.outsiders if each.part not in answered and (each.part or not found)}
        problem = redact(" ".join(str(error).split()))[:300]
        return Reading(place, sorted(kept | found, key=str), last.at, problem)


def _sources() -> list[tuple[str, Source]]:
    products: list[tuple[str, Source]] = [
        (f"the database of {environment.slug}", partial(_product, environment))
        for environment in Environment.objects.of_the_product().exclude(kind="preview").order_by("slug")
    ]
    ours: list[tuple[str, Source]] = [("the portal's database", _portal), ("the buckets of backups", _buckets)]
    return [("Render", _render), ("Supabase", _supabase), *products, *ours]


def _render() -> Iterator[Outsider]:
    api, failed = render_client.render(), Failed()
    for owner in api.owners.list():
        if owner.type != "team":
            yield Outsider(owner.email or owner.name, f"owner of {owner.name}", part=owner.id)
            continue
        with each(owner.name, failed):
            for member in list(api.owners.members(owner.id)):
                note = "" if member.mfa else NO_FACTOR
                yield Outsider(member.email or member.name, f"{member.role} of {owner.name}", note, owner.id)
    tell(failed)


def _supabase() -> Iterator[Outsider]:
    api, failed = supabase(), Failed()
    for organization in api.organizations.list():
        with each(organization.name, failed):
            for member in list(api.organizations.members(organization.slug)):
                note = "" if member.mfa else NO_FACTOR
                who, can = member.email or member.name, f"{member.role} of {organization.name}"
                yield Outsider(who, can, note, organization.slug)
    tell(failed)


def _product(environment: Environment) -> Iterator[Outsider]:
    with postgres.connect(reading_dsn(environment)) as session:
        yield from [Outsider(role, can) for role, can in session.execute(OWNERS).fetchall()]


def _portal() -> Iterator[Outsider]:
    with connection.cursor() as cursor:
        cursor.execute(OWNERS)
        yield from [Outsider(role, can) for role, can in cursor.fetchall()]


def _buckets() -> Iterator[Outsider]:
    """By the names of their keys, which services hold as `.env.example` says; who has copies, the console knows."""
    if not settings.BACKUP_STORE.startswith("s3:"):
        yield Outsider("whoever reads the workers' disk", "may read, replace and delete objects")
        return
    yield Outsider("whoever holds AWS_ACCESS_KEY_ID", "reads and writes objects")
    yield Outsider("whoever holds BACKUP_REAPER_AWS_ACCESS_KEY_ID", "deletes objects")
    yield Outsider("whoever administers the bucket's account", "does everything that no lock holds")
