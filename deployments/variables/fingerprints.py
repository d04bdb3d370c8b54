"""Reads variables, secret files and environment groups from Render and keeps names, links and keyed fingerprints.

Each value is fingerprinted at once and let go; none is stored, logged or shown.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from deployments.models import ConfigFingerprint, GroupVariable, Service, VariableGroup
from deployments.models.config import Kind
from deployments.render.gone import not_found
from operations.periodic.clock import database_time
from operations.periodic.isolation import Failed, each
from providers.errors import ProviderError
from providers.http.errors import NotFound
from providers.render import EnvGroup, EnvVar, Render, SecretFile

Prints = dict[tuple[str, str], str]


def fingerprint(value: str) -> str:
    """HMAC-SHA256 under the portal's key: comparable between services, not reversible by a reader of the table."""
    return hmac.new(settings.SECRET_KEY.encode(), b"deployments.parity\0" + value.encode(), hashlib.sha256).hexdigest()


def prints(variables: Iterable[EnvVar], files: Iterable[SecretFile]) -> Prints:
    """(kind, name) → fingerprint."""
    made = {(str(Kind.VARIABLE), variable.key): fingerprint(variable.value) for variable in variables}
    return made | {(str(Kind.FILE), file.name): fingerprint(file.content) for file in files}


def note(service: Service, key: str, value: str) -> None:
    """Store the fingerprint of one value of a service."""
    made, now = fingerprint(value), timezone.now()
    row, created = ConfigFingerprint.objects.get_or_create(
        service=service, kind=Kind.VARIABLE, key=key, defaults={"fingerprint": made}
    )
    if not created and row.fingerprint != made:
        row.fingerprint, row.changed_at = made, now
    row.seen_at = now
    row.save()


def refresh(api: Render, service: Service) -> int:
    """Read the names and fingerprints of what one service itself sets; how many. Raises ProviderError."""
    seen = prints(api.env_vars.list(service.render_id), api.secret_files.list(service.render_id))
    _store(service.variables.all(), seen, lambda **values: ConfigFingerprint(service=service, **values))
    return len(seen)


def refresh_groups(api: Render, *, seconds: float = math.inf) -> int:
    """Read every environment group with its links; how many. One that Render no longer has is kept as removed."""
    ends, ids, failed = time.monotonic() + seconds, set[str](), Failed()
    for group in api.env_groups.list():
        if time.monotonic() > ends:
            raise ProviderError(f"Render took more than {seconds:g} s for its groups; none is taken as removed.")
        ids.add(group.id)
        with each(group.name, failed):
            store_group(api.env_groups.get(group.id))
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
            VariableGroup.objects.filter(pk=row.pk).update(removed_at=database_time())


def store_group(seen: EnvGroup) -> VariableGroup:
    """One group as Render shows it: its name, its links, and the fingerprints of what it holds."""
    facts = {
        "name": seen.name[:200],
        "owner_id": seen.owner_id[:80],
        "created_at": seen.created_at,
        "removed_at": None,
        "missing_since": None,
        "seen_at": timezone.now(),
    }
    with transaction.atomic():
        row, _ = VariableGroup.objects.update_or_create(render_id=seen.id, defaults=facts)
        row.services.set(Service.objects.filter(render_id__in=seen.services))
        _store(row.variables.all(), prints(seen.variables, seen.files), lambda **v: GroupVariable(group=row, **v))
    return row


def _store(rows: QuerySet[Any], seen: Prints, make: Any) -> None:
    """Bring rows up to what was seen: gone ones go, new ones come, a changed fingerprint says when."""
    known, now = {(row.kind, row.key): row for row in rows}, timezone.now()
    rows.filter(pk__in=[row.pk for name, row in known.items() if name not in seen]).delete()
    for (kind, key), made in seen.items():
        row = known.get((kind, key))
        if row is None:
            make(kind=kind, key=key[:200], fingerprint=made).save()
        elif row.fingerprint != made:
            rows.filter(pk=row.pk).update(fingerprint=made, changed_at=now)
