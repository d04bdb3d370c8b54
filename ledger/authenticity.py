"""Which entries this portal wrote itself: a code (HMAC) over an entry's hash, which nobody makes without SECRET_KEY.

In: an entry. Out: its hash, its code, and whether both are right. Whoever writes SQL can continue the chain, as its
hashes need no key; what must not be forged that way (votes, roles) asks here.
"""

from __future__ import annotations

from datetime import UTC

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from ledger import canonical
from ledger.models import Entry

_SALT = "ledger.entry"


def digest_of(entry: Entry) -> str:
    """The hash an entry must have: over its fields in the order of `sql/entries.sql`, chained to the previous."""
    at = entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    who = [entry.actor, entry.code, entry.environment, entry.subject, entry.channel, entry.os_user, entry.host]
    return canonical.digest(entry.previous_sha256, [entry.sequence, at, *who, entry.data, entry.seeded])


def code_of(sha256: str, key: str | None = None) -> str:
    """The code over this hash, by SECRET_KEY unless another key is given; the hash covers number, place and content."""
    return salted_hmac(_SALT, sha256, secret=key, algorithm="sha256").hexdigest()


def is_genuine(entry: Entry) -> bool:
    """Whether a process that holds SECRET_KEY (or one of its fallbacks) wrote this entry, unaltered, at its place."""
    if digest_of(entry) != entry.sha256:
        return False
    keys = [None, *settings.SECRET_KEY_FALLBACKS]
    return any(constant_time_compare(code_of(entry.sha256, key), entry.mac) for key in keys)
