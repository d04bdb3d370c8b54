"""What people uploaded, kept until a worker read it: one page keeps, `migrations.register` finds and lets go.

Bytes are read by a worker alone: the web service has not the memory to take them back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet, Sum

from migrations_registry.models import Upload
from migrations_registry.sources.discovery import CALLED, classify
from operations.models import Environment
from operations.periodic.clock import database_time
from providers.errors import Refused
from providers.redact import redact

MOST_BYTES = 8 * 1024 * 1024
MOST_UNREAD_BYTES = 64 * 1024 * 1024
KEPT = timedelta(days=1)


def keep(sent: UploadedFile, by: str) -> Upload:
    """Store what was sent, within what is kept at a time for all. Raises Refused."""
    name, size = sent.name or "the upload", sent.size or 0
    if name.lower().endswith(".sql") and classify(name) is None:
        raise Refused(f"{name} is not called {CALLED}. Nothing was kept.")
    if size > MOST_BYTES:
        raise Refused(
            f"{name} is larger than {MOST_BYTES >> 20} MiB. Nothing was kept; name its repository, or use the shell."
        )
    with transaction.atomic():
        waiting = unread().aggregate(bytes=Sum("size_bytes"))["bytes"] or 0
        if waiting + size > MOST_UNREAD_BYTES:
            raise Refused("Too many uploads wait to be read. Nothing was kept; register or wait for those first.")
        data = sent.read()
        digest = hashlib.sha256(data).hexdigest()
        return Upload.objects.create(name=name, sha256=digest, size_bytes=len(data), content=data, uploaded_by=by)


def let_go_of_old() -> int:
    """Bytes that nobody had read for a day; the row still says what they were."""
    old = Upload.objects.filter(uploaded_at__lt=database_time() - KEPT, content__isnull=False)
    return old.update(content=None)


def unread() -> QuerySet[Upload]:
    """What can be asked for, without its bytes, the newest first."""
    return Upload.objects.filter(content__isnull=False, uploaded_at__gt=database_time() - KEPT).defer("content")


def find(number: str) -> Upload:
    """An upload that is still here, without its bytes. Raises Refused."""
    row = unread().filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
    if row is None:
        raise Refused(
            f"No upload {number!r} is kept here: it was read before, or is older than a day. Nothing was registered; "
            "upload it again."
        )
    return row


def read(number: str, sha256: str) -> Upload:
    """The upload with its bytes, which are those that were asked for. Raises Refused."""
    row = find(number)
    if row.sha256 != sha256 or not row.intact:
        raise Refused(f"The upload {row.name} was altered in this portal's database. Nothing was registered from it.")
    return row


def choices(_: Environment) -> Iterable[tuple[str, str]]:
    return [(str(row.pk), f"{row}, by {row.uploaded_by}") for row in unread()[:50]]


def named(_: Environment, number: str) -> tuple[str, str]:
    """What a stored number means while its row is there; it has no page."""
    row = Upload.objects.filter(pk=number).defer("content").first() if number.isdecimal() else None
    return (redact(str(row)), "") if row else ("", "")
