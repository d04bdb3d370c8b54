"""The ledger's two verbs. `record()` appends one fact in the caller's transaction; `checkpoint()` writes the head down.

In: an action code and who did it. Out: one hash-chained Entry. Verification is in `ledger.verification`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction

from ledger import canonical, channel
from ledger.authenticity import code_of, digest_of
from ledger.models import Checkpoint, Entry, Head, clock_timestamp
from ledger.registry import listeners
from ledger.report import VerificationReport
from ledger.verification import verify
from providers import redact

__all__ = ["VerificationReport", "checkpoint", "record", "verify", "verify_and_tell"]


def record(
    code: str,
    *,
    actor: str,
    environment: str = "",
    subject: str = "",
    data: Mapping[str, object] | None = None,
    at: datetime | None = None,
    seeded: bool = False,
) -> Entry:
    """Append one entry; call it last inside the transaction of the change it speaks about (it locks the head row).

    Secrets are redacted before hashing. Raises NotCanonical for values without a canonical form and ValueError for a
    given time outside the demo. A given time marks the entry as seeded.
    """
    if at is not None and not settings.DEMO:
        raise ValueError("record(at=…) is for the demo's story only (DEMO=1); nothing was recorded.")
    redactor = redact.current()
    here = channel.current()
    entry = Entry(
        actor=_text(redactor.text(actor), "actor", 150),
        code=_text(code, "code", 100),
        environment=_text(environment, "environment", 60),
        subject=_text(redactor.text(subject), "subject", 200),
        channel=here.name,
        os_user=here.os_user,
        host=here.host,
        data=canonical.dumps(redactor.value(dict(data or {}))),
        seeded=seeded or at is not None,
    )
    with transaction.atomic():
        return _append(entry, at)


def _append(entry: Entry, at: datetime | None) -> Entry:
    head = _locked_head()
    entry.sequence, entry.previous_sha256 = head.sequence + 1, head.sha256
    entry.at = (at or clock_timestamp()).astimezone(UTC)
    entry.sha256 = digest_of(entry)
    entry.mac = code_of(entry.sha256)
    entry.save(force_insert=True)
    Head.objects.filter(pk=1).update(sequence=entry.sequence, sha256=entry.sha256)
    return entry


def _locked_head() -> Head:
    head = Head.objects.select_for_update().filter(pk=1).first()
    if head is None:
        Head.objects.bulk_create([Head()], ignore_conflicts=True)
        head = Head.objects.select_for_update().get(pk=1)
    return head


def _text(value: str, name: str, longest: int) -> str:
    text = canonical.checked_text(value, name)
    if len(text) > longest:
        raise canonical.NotCanonical(f"{name} is {len(text)} characters long; {longest} is the most")
    return text


def checkpoint() -> Checkpoint | None:
    """Write the current size and head hash down as an anchor; None while the ledger is empty."""
    head = Head.objects.filter(pk=1).first()
    if head is None or head.sequence == 0:
        return None
    return Checkpoint.objects.get_or_create(size=head.sequence, defaults={"head_sha256": head.sha256})[0]


def verify_and_tell() -> VerificationReport:
    """Verify, then tell whoever registered with `registry.on_verified` (the frame of every page, the alarms)."""
    report = verify()
    for listener in listeners():
        listener(report)
    return report
