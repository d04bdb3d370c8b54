"""What people uploaded, kept until a worker read it: one page keeps, `migrations.register` finds and lets go."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from migrations_registry.models import Upload
from migrations_registry.sources.discovery import CALLED, classify
from migrations_registry.sources.reader import MAX_ARCHIVE_BYTES
from operations.models import Environment
from providers.errors import Refused
from providers.redact import redact

KEPT = timedelta(days=1)


def keep(name: str, data: bytes, by: str) -> Upload:
    """Store what was sent; bytes that nobody asked to read for a day are let go. Raises Refused."""
    if len(data) > MAX_ARCHIVE_BYTES:
        raise Refused(f"{name} is larger than {MAX_ARCHIVE_BYTES} bytes. Nothing was kept.")
    if name.lower().endswith(".sql") and classify(name) is None:
        raise Refused(f"{name} is not called {CALLED}. Nothing was kept.")
    Upload.objects.filter(uploaded_at__lt=timezone.now() - KEPT, content__isnull=False).update(content=None)
    digest = hashlib.sha256(data).hexdigest()
    return Upload.objects.create(name=name, sha256=digest, size_bytes=len(data), content=data, uploaded_by=by)


def find(number: str) -> Upload:
    """An upload whose bytes are still here, as they came. Raises Refused."""
    row = Upload.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
    if row is None or row.content is None:
        raise Refused(
            f"No upload {number!r} is kept here: it was read before, or is older than a day. Nothing was registered; "
            "upload it again."
        )
    if not row.intact:
        raise Refused(f"The upload {row.name} was altered in this portal's database. Nothing was registered from it.")
    return row


def unread(_: Environment) -> Iterable[tuple[str, str]]:
    """What can be asked for, the newest first."""
    rows = Upload.objects.filter(content__isnull=False).defer("content")[:50]
    return [(str(row.pk), f"{row}, by {row.uploaded_by}") for row in rows]


def named(_: Environment, number: str) -> tuple[str, str]:
    """What a stored number means; it has no page."""
    row = Upload.objects.filter(pk=number).defer("content").first() if number.isdecimal() else None
    return (redact(str(row)), "") if row else ("", "")
