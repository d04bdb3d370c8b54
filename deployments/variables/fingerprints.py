"""Reads variables, secret files and environment groups from Render and keeps names, links and keyed fingerprints.

Each value is fingerprinted at once and let go; none is stored, logged or shown.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from deployments.models import ConfigFingerprint, GroupLink, GroupVariable, Service, VariableGroup
from deployments.models.config import Kind
from deployments.no_longer import tell_back, tell_gone
from operations.accounts import RENDER
from operations.periodic.clock import database_time
from operations.periodic.gone import found, not_found, unlisted
from operations.periodic.isolation import Failed, each
from providers.errors import ProviderError
from providers.http.errors import NotFound
from providers.render import EnvGroup, EnvVar, Render, SecretFile

Prints = dict[tuple[str, str], str]
MOST_ASKED = 5  # in one pass, of what a list lacks


def fingerprint(value: str) -> str:
    """HMAC-SHA256 under the portal's key: comparable between services, not reversible by a reader of the table."""
    return hmac.new(settings.SECRET_KEY.encode(), b"deployments.parity\0" + value.encode(), hashlib.sha256).hexdigest()


def prints(variables: Iterable[EnvVar], files: Iterable[SecretFile]) -> Prints:
    """(kind, name) → fingerprint."""
    made = {(str(Kind.VARIABLE), variable.key): fingerprint(variable.value) for variable in variables}
    return made | {(str(Kind.FILE), file.name): fingerprint(file.content) for file in files}


def note(service: Service, key: str, value: str) -> None:
    """Store the fingerprint of one value of a service."""
    _store(service.variables.all(), {(Kind.VARIABLE, key): fingerprint(value)}, _own(service))


def refresh(api: Render, service: Service) -> int:
    """Read the names and fingerprints of what one service itself sets; how many. Raises ProviderError."""
    seen = prints(api.env_vars.list(service.render_id), api.secret_files.list(service.render_id))
    _store(service.variables.all(), seen, _own(service))
    ask = {Kind.VARIABLE: api.env_vars.get, Kind.FILE: api.secret_files.get}
    _let_go(service, seen, lambda kind, key: ask[kind](service.render_id, key))
    return len(seen)


def refresh_groups(api: Render, *, seconds: float = math.inf) -> int:
    """Read every environment group with its links; how many. One that Render no longer has is kept as removed."""
    ends, ids, failed = time.monotonic() + seconds, set[str](), Failed()
    for group in api.env_groups.list():
        if time.monotonic() > ends:
            raise ProviderError(f"Render took more than {seconds:g} s for its groups; none is taken as removed.")
        ids.add(group.id)
        with each(group.name, failed):
            _refresh_group(api, api.env_groups.get(group.id))
    for row in VariableGroup.objects.filter(removed_at=None).exclude(render_id__in=ids):
        with each(row, failed):
            _ask_for(api, row)
    if failed:
        raise ProviderError("; ".join(failed))
    return len(ids)


def _ask_for(api: Render, row: VariableGroup) -> None:
    """A list without a group is no word about it; its second 404 is."""
    try:
        store_group(api.env_groups.get(row.render_id))
    except NotFound:
        if not_found(row):
            with transaction.atomic():
                if VariableGroup.objects.filter(pk=row.pk, removed_at=None).update(removed_at=database_time()):
                    tell_gone(RENDER, [f"the environment group {row.name}"], subject=row.name)


def _refresh_group(api: Render, seen: EnvGroup) -> None:
    row = store_group(seen)
    ask = {Kind.VARIABLE: api.env_groups.variable, Kind.FILE: api.env_groups.file}
    linked = row.links.filter(service__render_id__in=seen.services).values_list("pk", flat=True)
    cut = unlisted(row.links.select_related("service", "variablegroup"), list(linked), may_be_empty=True)
    _let_go(row, prints(seen.variables, seen.files), lambda kind, key: ask[kind](seen.id, key), cut)


def store_group(seen: EnvGroup) -> VariableGroup:
    """One group as Render shows it: its name, its links, and the fingerprints of what it holds. What it no longer
    shows stays."""
    facts = {
        "name": seen.name[:200],
        "owner_id": seen.owner_id[:80],
        "created_at": seen.created_at,
        "removed_at": None,
        "missing_since": None,
        "seen_at": database_time(),
    }
    with transaction.atomic():
        if VariableGroup.objects.filter(render_id=seen.id).exclude(removed_at=None).update(removed_at=None):
            tell_back(RENDER, f"the environment group {facts['name']}")
        row, _ = VariableGroup.objects.update_or_create(render_id=seen.id, defaults=facts)
        row.services.add(*Service.objects.filter(render_id__in=seen.services))
        _store(row.variables.all(), prints(seen.variables, seen.files), lambda **v: GroupVariable(group=row, **v))
    return row


def _own(service: Service) -> Callable[..., ConfigFingerprint]:
    return lambda **values: ConfigFingerprint(service=service, seen_at=database_time(), **values)


def _store(rows: QuerySet[Any], seen: Prints, make: Callable[..., Any]) -> None:
    """Bring rows up to what was seen: new ones come, a changed fingerprint says when."""
    known, now = {(row.kind, row.key): row for row in rows}, database_time()
    for (kind, key), made in seen.items():
        row = known.get((kind, key))
        if row is None:
            make(kind=kind, key=key[:200], fingerprint=made, changed_at=now).save()
        elif row.fingerprint != made:
            rows.filter(pk=row.pk).update(fingerprint=made, changed_at=now)
    seen_now = {"seen_at": now} if rows.model is ConfigFingerprint else {}
    there = [row.pk for name, row in known.items() if name in seen]
    rows.filter(pk__in=there).update(missing_since=None, **seen_now)


def _let_go(
    of: Service | VariableGroup, seen: Prints, ask: Callable[[Kind, str], object], cut: Iterable[GroupLink] = ()
) -> None:
    """Each variable that the list lacks is asked for, a few in one pass. What is gone by its second 404 goes, and the
    links that were `cut`, with an entry and one message. Raises ProviderError after the others where one is not told.
    """
    gone, failed = list[Any](cut), Failed()
    missing = [row for row in of.variables.all() if (row.kind, row.key) not in seen]
    for row in sorted(missing, key=lambda row: row.missing_since is None)[:MOST_ASKED]:
        with each(row, failed):
            try:
                ask(Kind(row.kind), row.key)
                found(row)
            except NotFound:
                gone += [row] if not_found(row) else []
    if gone:
        _remove(of, gone)
    if failed:
        raise ProviderError("; ".join(failed))


@transaction.atomic
def _remove(of: Service | VariableGroup, gone: list[Any]) -> None:
    names = [str(row) for row in gone]
    for row in gone:
        row.delete()
    tell_gone(RENDER, names, environment=of.environment if isinstance(of, Service) else None, subject=of.name)
