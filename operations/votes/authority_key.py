"""Publishing AUTHORITY_KEY: from that entry on, votes, roles and what environments ask for count by signature only.

Making the first admin does it, and a ticker wherever there are people and the key is new. What counted until then goes
on to count.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from ledger import authenticity
from ledger.services import record
from operations.accounts import SYSTEM
from operations.models import Environment


def publish() -> None:
    """Write the public half into the ledger, once, and sign the environments that SQL did not change.

    For some minutes it looks again: a process that had not heard of the key yet may have written one meanwhile.
    """
    authenticity.forget()
    if not settings.AUTHORITY_KEY:
        return
    people = User.objects.filter(machineaccount=None)  # before there are any, a portal may yet be recovered into here
    known = authenticity.published()
    is_new = authenticity.public_key(settings.AUTHORITY_KEY) not in known.keys
    if (known.is_settled() and not is_new) or not people.exists():
        return
    with transaction.atomic():
        rows = Environment.objects.select_for_update()
        ours = [row.pk for row in rows if not row.was_altered and (is_new or not authenticity.is_signed(row.mac))]
        if is_new:
            record(authenticity.PUBLISHED, actor=SYSTEM, data=authenticity.publication())
        Environment.objects.sign(ours)
    authenticity.forget()
