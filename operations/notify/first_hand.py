"""Messages that no other process may silence: this worker sends them itself and writes that into the ledger, marked
under the key that workers alone hold (OPS_SEAL_IDENTITY).

In: an entry, and its messages. Out: each sent once. Whoever writes the portal's rows, also as the web service, can
delete a message of the outbox or call it sent; of an entry without such a mark a worker tells anew. A process without
the key puts them into the outbox.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare

from ledger.authenticity import mac
from ledger.models import Entry
from ledger.services import record
from operations.accounts import SYSTEM
from operations.models import Notification
from operations.notify import delivery, outbox
from operations.periodic.clock import database_time
from providers.errors import ProviderError, Refused

logger = logging.getLogger("operations.notify")
TOLD = "operations.told"


def untold(entries: Iterable[Entry]) -> list[Entry]:
    """Those of which no worker has told yet, as far as this process can see that."""
    if not settings.OPS_SEAL_IDENTITY:
        return list(entries)
    marks = {str(entry.sequence): (_mark(entry), entry) for entry in entries}
    for told in Entry.objects.filter(code=TOLD, subject__in=marks):
        mark, _ = marks.get(told.subject, ("", None))
        if mark and constant_time_compare(mark, str(told.payload.get("mark", ""))):
            del marks[told.subject]
    return [entry for _, entry in marks.values()]


def tell(entry: Entry, messages: list[Notification]) -> int:
    """Send them now; how many went out. What one channel does not take is left to the outbox, which tries again; where
    none takes it, raises what the last one said, and the next round begins anew.
    """
    if not settings.OPS_SEAL_IDENTITY:
        return outbox.store(messages)
    failure: ProviderError | Refused | None = None
    sent = []
    for message in messages:
        try:
            delivery.send(message)
        except (ProviderError, Refused) as error:
            failure = error
            logger.warning("%s through %s failed: %s", message.subject, message.channel, error)
        else:
            message.sent_at, message.attempts, message.next_attempt_at = database_time(), 1, None
            sent.append(message.channel)
    if failure is not None and not sent:
        raise failure
    data = {"mark": _mark(entry), "through": sorted(set(sent))}
    with transaction.atomic():
        outbox.store(messages)
        record(TOLD, actor=SYSTEM, subject=str(entry.sequence), data=data)
    return len(sent)


def _mark(entry: Entry) -> str:
    return mac("operations.told", f"{entry.sequence} {entry.sha256}", settings.OPS_SEAL_IDENTITY)
