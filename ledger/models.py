"""The append-only record of who did what. Rows come from `ledger.services.record()` only; triggers refuse the rest.

Entry: one fact, hash-chained to the one before. Head: the newest sequence and hash. Checkpoint: size and head hash as
written down at a moment. Stream: what a collector has. No foreign keys: an entry outlives whatever it speaks about.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from django.db import connection, models
from django.db.models.functions import Now

from ledger.canonical import ZERO

SHA256 = r"^[0-9a-f]{64}$"
_asked: ContextVar[list[datetime] | None] = ContextVar("asked", default=None)


def clock_timestamp() -> datetime:
    """Now, asked for each time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def database_time() -> datetime:
    """Now; within `one_moment` when it was first asked for there."""
    asked = _asked.get()
    if asked is None:
        return clock_timestamp()
    if not asked:
        asked.append(clock_timestamp())
    return asked[0]


@contextmanager
def one_moment() -> Iterator[None]:
    """What is judged inside is judged at one time, for which the database is asked once; other threads ask anew."""
    token = _asked.set([])
    try:
        yield
    finally:
        _asked.reset(token)


class Entry(models.Model):
    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    code = models.CharField(max_length=100)
    environment = models.CharField(max_length=60, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    channel = models.CharField(max_length=20, blank=True, help_text="admin, worker or shell")
    os_user = models.CharField(max_length=100, blank=True)
    host = models.CharField(max_length=100, blank=True)
    data = models.TextField(default="{}", help_text="the canonical JSON text that was hashed")
    seeded = models.BooleanField(default=False)
    previous_sha256 = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64, unique=True)
    mac = models.CharField(
        max_length=120, blank=True, default="", db_default="", help_text="the portal's code over the hash"
    )
    stored_at = models.DateTimeField(
        null=True, editable=False, help_text="the database's own clock, whatever the writer says; not hashed"
    )

    class Meta:
        verbose_name_plural = "timeline"
        ordering = ["-at", "-sequence"]
        default_permissions = ("view",)
        permissions = [("export_entries", "Can export the timeline"), ("verify_ledger", "Can verify the ledger")]
        indexes = [
            models.Index(fields=["-at", "-sequence"], name="ledger_entry_at"),
            models.Index(fields=["environment", "-at", "-sequence"], name="ledger_entry_environment"),
            models.Index(fields=["actor", "-at", "-sequence"], name="ledger_entry_actor"),
            models.Index(fields=["code", "-at", "-sequence"], name="ledger_entry_code"),
            models.Index(fields=["subject", "-sequence"], name="ledger_entry_subject"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(sequence__gte=1), name="ledger_entry_sequence_positive"),
            models.CheckConstraint(
                condition=models.Q(sha256__regex=SHA256, previous_sha256__regex=SHA256), name="ledger_entry_hashes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.code}"

    @property
    def since(self) -> datetime:
        """When it was written, as the database says; the writer's word for older entries and the demo's story."""
        return self.at if self.seeded else self.stored_at or self.at

    @property
    def payload(self) -> dict[str, object]:
        """`data` as a dictionary, for sentences and pages."""
        return dict(json.loads(self.data))


class Head(models.Model):
    id = models.SmallIntegerField(primary_key=True, default=1)
    sequence = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, default=ZERO)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="ledger_head_single_row")]

    def __str__(self) -> str:
        return f"{self.sequence} {self.sha256[:12]}"


class Stream(models.Model):
    """How far an outside collector has confirmed the ledger; one row an address, by the digest of it."""

    address = models.CharField(max_length=64, primary_key=True)
    sequence = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, default=ZERO)
    failures = models.IntegerField(default=0)
    error = models.TextField(default="")
    looked_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.sequence} {self.error}".strip()


class Checkpoint(models.Model):
    size = models.BigIntegerField(unique=True)
    head_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        ordering = ["-size"]

    def __str__(self) -> str:
        return f"{self.size} {self.head_sha256[:12]}"
