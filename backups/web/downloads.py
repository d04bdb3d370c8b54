"""Downloads from a run: its manifest, and any table as CSV. Each leaves a ledger entry before the first byte."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse

from backups import keyring
from backups.manifest import Manifest, Table, manifest_key
from backups.models import Run
from backups.reading import load
from backups.sealing import ManifestError
from backups.segments import Damaged, unpack
from backups.web.run_page import find
from ledger.services import record
from providers.errors import ProviderError, Refused
from providers.storage import Store, open_store

Response = TypeVar("Response", HttpResponse, StreamingHttpResponse)


def manifest_file(request: HttpRequest, pk: str) -> HttpResponse:
    """The manifest exactly as it lies in the store."""
    if not request.user.has_perm("backups.view_run"):
        raise PermissionDenied
    run = find(pk)
    try:
        data = open_store(run.store_url).get(manifest_key(run.pk))
    except (ProviderError, Refused) as error:
        return _sorry(request, run, str(error))
    return _attachment(HttpResponse(data, content_type="application/json"), f"{run.pk}-manifest.json")


def table_csv(request: HttpRequest, pk: str, table: str) -> HttpResponse | StreamingHttpResponse:
    """One table as one CSV, checked against the manifest before anything is sent."""
    if not request.user.has_perm("backups.download_run"):
        raise PermissionDenied
    run = find(pk)
    try:
        store = open_store(run.store_url)
        manifest = load(store, run.pk, keyring.verifier())
        if run.purging_at is not None:
            raise Refused(f"Retention deleted the data of run {pk} on {run.purging_at:%Y-%m-%d}. Nothing was sent.")
        wanted = _wanted(manifest, table)
    except (ProviderError, Refused, ManifestError) as error:
        return _sorry(request, run, str(error))
    assert isinstance(request.user, User)  # noqa: S101 - admin_view lets only signed-in people through
    with transaction.atomic():
        record(
            "backups.run.downloaded",
            actor=request.user.username,
            environment=run.policy.environment.slug,
            subject=run.pk,
            data={"table": table, "rows": wanted.rows},
        )
    body = StreamingHttpResponse(_rows(store, wanted), content_type="text/csv; charset=utf-8")
    return _attachment(body, f"{run.pk}-{table}.csv")


def _wanted(manifest: Manifest, name: str) -> Table:
    found = next((table for table in manifest.tables if table.qualified == name), None)
    if found is None:
        raise Refused(f"Run {manifest.run} holds no table {name}. Nothing was sent.")
    if found.format != "csv":
        raise Refused(f"{name} is stored in PostgreSQL's binary format. Nothing was sent. Restore it to read it.")
    if any(segment.encrypted for segment in found.segments) and not keyring.identities():
        raise Refused(
            f"{name} is encrypted and this web server holds no private key, by design. Nothing was sent. "
            "Restore it into scratch, or open the segments with `age -d`."
        )
    return found


def _rows(store: Store, table: Table) -> Iterator[bytes]:
    for number, segment in enumerate(table.segments):
        try:
            blocks = list(unpack(store.get(segment.key), segment, keyring.identities()))
        except Damaged as error:
            raise ProviderError(str(error)) from None
        data = b"".join(blocks)
        yield data if number == 0 else data.split(b"\n", 1)[1]


def _attachment(response: Response, name: str) -> Response:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _sorry(request: HttpRequest, run: Run, reason: str) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": "Not available", "run": run, "reason": reason}
    return TemplateResponse(request, "admin/backups/run/sorry.html", context, status=409)
