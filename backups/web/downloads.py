"""Downloads from a run: manifest, one stored object, any table as CSV; a ledger entry each, before the first byte."""

from __future__ import annotations

from typing import TypeVar

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse

from backups.archive import keys
from backups.archive.manifest import manifest_key
from backups.models import Run
from backups.restore import table_csv as restore_table_csv
from backups.stores.trusted_manifest import store_of, trusted_manifest
from backups.web.run_page import find
from ledger.services import record
from operations.authority import holds, holds_somewhere
from operations.databases import is_portal, portal_identity
from operations.web.pages import render_page
from providers import outside
from providers.errors import ProviderError, Refused
from providers.storage.base import Missing

PORTALS_OWN = "public.operations_operation"
Response = TypeVar("Response", HttpResponse, StreamingHttpResponse)


def manifest_file(request: HttpRequest, pk: str) -> HttpResponse:
    """The manifest exactly as it lies in the store."""
    run = _allowed(request, pk, "backups.view_run")
    return _object(request, run, manifest_key(run.pk), f"{run.pk}-manifest.json", "application/json")


def segment_file(request: HttpRequest, pk: str, position: int) -> HttpResponse:
    """One segment exactly as it lies in the store: compressed, and encrypted where the run is."""
    run = _allowed(request, pk, "backups.download_run")
    segment = run.segments.filter(position=position).first()
    if segment is None:
        raise Http404
    try:
        _refuse_portal(run)
        _refuse_purged(run)
    except Refused as error:
        return _sorry(request, run, str(error))
    name = f"{run.pk}-{segment.key.split('/', 3)[-1].replace('/', '-')}"
    return _object(request, run, segment.key, name, "application/octet-stream")


def table_csv(request: HttpRequest, pk: str, table: str) -> HttpResponse | StreamingHttpResponse:
    """One table as one CSV; every object of it is compared with the manifest before anything is sent."""
    run = _allowed(request, pk, "backups.download_run")
    try:
        _refuse_portal(run)
        _refuse_purged(run)
        store = store_of(run)
        manifest = trusted_manifest(run, store)
        table_held = restore_table_csv.wanted(manifest, table, keys.identities())
        rows = restore_table_csv.csv_of(manifest, table_held, store, keys.identities())
    except (ProviderError, Refused) as error:
        return _sorry(request, run, str(error), table)
    _tell(request, run, table=table_held.qualified, rows=table_held.rows)
    body = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    return _attachment(body, f"{run.pk}-{table_held.qualified}.csv")


def _allowed(request: HttpRequest, pk: str, permission: str) -> Run:
    if not holds_somewhere(request.user, permission):
        raise PermissionDenied
    run = find(pk)
    if not holds(request.user, permission, run.policy.environment):
        raise PermissionDenied
    return run


def _object(request: HttpRequest, run: Run, key: str, name: str, content_type: str) -> HttpResponse:
    try:
        with outside.waiting():
            data = store_of(run).get(key)
    except Missing:
        return _sorry(request, run, f"{key} is missing from the store. Nothing was sent. Verify the run again.")
    except (ProviderError, Refused) as error:
        return _sorry(request, run, str(error))
    _tell(request, run, object=key, bytes=len(data))
    return _attachment(HttpResponse(data, content_type=content_type), name)


def _refuse_portal(run: Run) -> None:
    if is_portal(run.policy.environment) or _of_the_portal(run):
        raise Refused(
            "The portal's own copy holds password hashes and second factors; its tables are never handed out. "
            "Nothing was sent. `sampelit-ops recover` brings them back into an empty database."
        )


def _of_the_portal(run: Run) -> bool:
    """A copy from before anybody compared: by its server, and tables that only a portal has."""
    return run.system_identifier == portal_identity().system_identifier and PORTALS_OWN in run.tables


def _refuse_purged(run: Run) -> None:
    if run.purging_at is not None:
        raise Refused(f"Retention deleted the data of {run} on {run.purging_at:%Y-%m-%d}. Nothing was sent.")


@transaction.atomic
def _tell(request: HttpRequest, run: Run, **data: object) -> None:
    assert isinstance(request.user, User)  # noqa: S101 - admin_view lets only signed-in people through
    record(
        "backups.run.downloaded",
        actor=request.user.username,
        environment=run.policy.environment.slug,
        subject=run.pk,
        data={"run_name": str(run), **data},
    )


def _attachment(response: Response, name: str) -> Response:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _sorry(request: HttpRequest, run: Run, reason: str, table: str = "") -> HttpResponse:
    context = {
        "title": "Not available",
        "run": run,
        "reason": reason,
        "table": table,
    }
    return render_page(request, "admin/backups/run/sorry.html", context, status=409)
