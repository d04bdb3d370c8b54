"""Bundles as rows: kept once for each content, and given back only if they are still what was kept."""

from __future__ import annotations

import hashlib

from django.db import transaction

from deployments.functions import source_archive
from deployments.functions.source_archive import Files
from deployments.models import FunctionBundle
from ledger.services import record
from operations.accounts import SYSTEM
from operations.periodic.clock import database_time
from providers.errors import Refused

Kind = FunctionBundle.Kind


@transaction.atomic
def keep_files(slug: str, files: Files, by: str) -> FunctionBundle:
    """Store source files for a later deploy; the same files are kept once."""
    listed = [[path, len(data)] for path, data in sorted(files.items())]
    return _keep(slug, Kind.FILES, source_archive.pack(files), by, listed)


def keep_eszip(slug: str, content: bytes, by: str = SYSTEM) -> FunctionBundle:
    """Store what Supabase runs, in its own form."""
    return _keep(slug, Kind.ESZIP, content, by, [])


@transaction.atomic
def _keep(slug: str, kind: str, content: bytes, by: str, files: list[list[object]]) -> FunctionBundle:
    """The same content once more counts as kept now; where its bytes were let go, they are there again."""
    given = {"kind": kind, "content": content, "size_bytes": len(content), "kept_by": by, "files": files}
    digest = hashlib.sha256(content).hexdigest()
    row, made = FunctionBundle.objects.select_for_update().get_or_create(slug=slug, sha256=digest, defaults=given)
    if not made:
        made = row.removed_at is not None
        again = {**(given if made else {}), "removed_at": None, "kept_at": database_time()}
        row, _ = FunctionBundle.objects.update_or_create(pk=row.pk, defaults=again)
    if made and kind == Kind.FILES:
        record(
            "deployments.bundle_kept",
            actor=by,
            subject=slug,
            data={"function": slug, "sha256": row.sha256, "files": len(files), "bytes": len(content)},
        )
    return row


def find_bundle(slug: str, sha256: str) -> FunctionBundle:
    """A kept bundle by the beginning of its digest, bytes checked. Raises Refused."""
    rows = list(FunctionBundle.objects.filter(slug=slug, sha256__startswith=sha256.lower(), removed_at=None)[:2])
    if len(sha256) < 8 or len(rows) != 1:
        raise Refused(
            f"No bundle of {slug} is kept here with the digest {sha256!r}. Nothing was requested. "
            f"Keep one first: sampelit-ops keep_function FOLDER --function {slug}."
        )
    return checked(rows[0])


def checked(row: FunctionBundle) -> FunctionBundle:
    """The row, if its bytes still have its digest. Raises Refused."""
    if not row.intact:
        raise Refused(f"The kept bundle {row} was altered in this portal's database. Nothing was deployed from it.")
    return row
