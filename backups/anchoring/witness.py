"""Once a week what the portal says of itself goes to somebody else, signed: auditors by mail, a bucket in other hands.

In: the ledger's head, the newest manifest of every policy, the signing key. Out: one signed document, sent; later the
same document held against the portal. Whoever owns portal and store cannot rewrite both unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from backups.archive import keys
from backups.archive.signed_json import ManifestError, sealed, unsealed
from backups.models import Policy, Run
from ledger.models import Entry, Head
from ledger.services import record
from operations.accounts import SYSTEM
from operations.notify import enqueue
from operations.periodic.clock import database_time
from providers.errors import Refused
from providers.storage.factory import open_store

FORMAT, SENT = "sampelit-ops-witness/1", "backups.witness.sent"
EVERY = timedelta(days=7)
TEXT = """\
This is what Sampelit Ops says of itself today, signed. Keep this message: it is the witness that the portal's ledger
and its backups were not rewritten afterwards. To compare, save it as a file and run

    sampelit-ops witness --compare FILE

or, without the portal, bin/compare_witness.py DIR --public-key FILE --witness FILE on a copy of the store.

"""


def can_sign() -> bool:
    return keys.signer() is not None


def keep() -> None:
    """The duty, asked every ten minutes: once a week, by a process that holds the signing key."""
    newest = last()
    if newest is not None and database_time() - newest.at < EVERY:
        return
    if can_sign() and (auditors() or settings.BACKUP_WITNESS_STORE) and _anything():
        send(SYSTEM)


def last() -> Entry | None:
    return Entry.objects.filter(code=SENT).order_by("-sequence").first()


def _anything() -> bool:
    return Head.objects.filter(sequence__gt=0).exists()


def auditors() -> list[str]:
    """Mail addresses of the active people whose role is to look."""
    people = User.objects.filter(groups__name="Auditor", is_active=True).exclude(email="")
    return sorted(set(people.values_list("email", flat=True)))


def document(at: datetime) -> dict[str, Any]:
    head = Head.objects.filter(pk=1).first()
    return {
        "format": FORMAT,
        "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "portal": settings.OPS_BASE_URL,
        "ledger": {"size": head.sequence if head else 0, "head_sha256": head.sha256 if head else ""},
        "runs": list(_newest_runs()),
    }


def _newest_runs() -> Iterator[dict[str, str]]:
    for policy in Policy.objects.select_related("environment"):
        run = Run.objects.counting().filter(policy=policy).order_by("-proven_at").first()
        if run is not None:
            names = {"environment": policy.environment.slug, "policy": policy.name}
            yield {**names, "run": run.pk, "manifest_sha256": run.manifest_sha256}


def send(actor: str) -> dict[str, Any]:
    """Sign and send now. Raises Refused where nobody would receive it, or nothing could sign it."""
    to, url = auditors(), settings.BACKUP_WITNESS_STORE
    signer = keys.signer()
    if signer is None:
        raise Refused("BACKUP_SIGNING_KEY is not set here, so nothing was sent: a witness must be signed.")
    if not to and not url:
        raise Refused(
            "Nobody would receive it, so nothing was sent. Give somebody the role Auditor and a mail address, or set "
            "BACKUP_WITNESS_STORE to a bucket in other hands."
        )
    at = database_time()
    body = document(at)
    data = sealed(body, signer)
    if url:
        open_store(url).put_once(f"witness/{at:%Y%m%dT%H%M%S%fZ}.json", data)
    with transaction.atomic():
        if to:
            subject = f"Witness of {at:%Y-%m-%d}: {body['ledger']['size']} ledger entries"
            enqueue(f"witness:{at:%Y%m%dT%H%M%S}", subject=subject, body=TEXT + data.decode(), to=to)
        facts = {"size": body["ledger"]["size"], "head": body["ledger"]["head_sha256"], "runs": len(body["runs"])}
        record(SENT, actor=actor, subject=f"{at:%Y-%m-%d}", data={**facts, "people": len(to), "bucket": bool(url)})
    return body


def found_in(text: str) -> bytes:
    """The signed document inside a saved message. Raises Refused when there is none."""
    for line in text.splitlines():
        if line.strip().startswith('{"body":'):
            return line.strip().encode() + b"\n"
    raise Refused('The file holds no witness (a line that begins with {"body":). Nothing was compared.')


def compare(text: str) -> tuple[dict[str, Any], list[str]]:
    """Hold a kept witness against the portal: the document, and everything that no longer fits it."""
    try:
        body = unsealed(found_in(text), keys.verifier())
    except ManifestError as error:
        raise Refused(f"The witness itself was rejected: {error}. Nothing was compared.") from None
    if body.get("format") != FORMAT:
        raise Refused(f"The file is {json.dumps(body.get('format'))}, not {FORMAT}. Nothing was compared.")
    return body, [*_ledger_differs(body["ledger"]), *_runs_differ(body["runs"])]


def _ledger_differs(ledger: dict[str, Any]) -> Iterator[str]:
    size, head = ledger["size"], ledger["head_sha256"]
    entry = Entry.objects.filter(sequence=size).values_list("sha256", flat=True).first()
    if size and entry is None:
        yield f"The ledger had {size} entries; it is shorter now: it was cut back, or the portal was recovered."
    elif size and entry != head:
        yield f"Entry {size} of the ledger is another than the one that was witnessed: it was rewritten."


def _runs_differ(runs: list[dict[str, str]]) -> Iterator[str]:
    known = dict(Run.objects.filter(pk__in=[run["run"] for run in runs]).values_list("pk", "manifest_sha256"))
    for run in runs:
        if run["run"] not in known:
            yield f"Run {run['run']} of {run['environment']}/{run['policy']} is not known any more."
        elif known[run["run"]] != run["manifest_sha256"]:
            yield f"The manifest of run {run['run']} is another than the one that was witnessed."
