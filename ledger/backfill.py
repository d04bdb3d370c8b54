"""An entry that a migration writes: what was known before the portal began to ask the ledger for it.

In: the apps of a migration, a code, data. Out: one chained entry with the portal's own code.
"""

from __future__ import annotations

from django.apps.registry import Apps
from django.utils import timezone

from ledger import canonical, channel
from ledger.authenticity import code_of, digest_of, shared_code_of


def append(apps: Apps, code: str, data: dict[str, object]) -> None:
    head = apps.get_model("ledger", "Head")._default_manager.select_for_update().get(pk=1)
    here = channel.current()
    entry = apps.get_model("ledger", "Entry")(
        sequence=head.sequence + 1,
        at=timezone.now(),
        actor="system",
        code=code,
        channel=here.name,
        os_user=here.os_user,
        host=here.host,
        data=canonical.dumps(data),
        previous_sha256=head.sha256,
    )
    entry.sha256 = digest_of(entry)
    fits = len(code := code_of(entry.sha256)) <= (entry._meta.get_field("mac").max_length or 0)
    entry.mac = code if fits else shared_code_of(entry.sha256)  # older tables have no room for a signature
    entry.save(force_insert=True)
    head.sequence, head.sha256 = entry.sequence, entry.sha256
    head.save(update_fields=["sequence", "sha256"])
