"""The portal's database, lost and brought back from a store: the newest proven copy of it, then what came after.

In: a store, an empty database (DATABASE_URL), the keys. Out: a Recovered report. Refused before the first change where
the database holds anything, or where no copy can be opened.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction

from backups.anchoring import checkpoints
from backups.archive import keys
from backups.archive.manifest import Manifest
from backups.archive.reader import Inventory, inventory, load, proofs
from backups.archive.signed_json import ManifestError
from backups.models import Policy, Run
from backups.policies.portal import NAME
from backups.progress import Watch
from backups.recovery import rebuild, target_database
from backups.restore.into_empty import Target, check_objects, restore
from ledger.models import Head
from ledger.services import record, verify
from operations.accounts import SYSTEM
from operations.models import AccessToken
from operations.models.environment import PORTAL
from operations.periodic.clock import database_time
from providers.errors import Refused
from providers.storage.base import Store


@dataclass
class Recovered:
    """What came back, and what did not; `entries` are the ledger's before the recovery's own."""

    store: str
    run: str = ""
    taken_at: str = ""
    rows: int = 0
    entries: int = 0
    head: str = ""
    lost_entries: int = 0
    refreshed: int = 0
    added: list[str] = field(default_factory=list)
    purged: int = 0
    ended: int = 0
    tokens: int = 0
    missing: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    valid: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def recover(store: Store, watch: Watch, wanted: str = "", alone: bool = False, unsigned: bool = False) -> Recovered:
    """Bring the portal back. `wanted` names a copy instead of the newest; `alone` uses the runs' manifests only.

    `unsigned` believes what no key speaks for: whoever may write into the store could have made it.
    """
    begun = target_database.begun()
    if not begun:
        target_database.refuse_filled()
    if keys.verifiers() and keys.signer() is None:
        raise Refused("BACKUP_SIGNING_KEY is not set: the recovery could not be signed. Nothing was changed. Set it.")
    if not keys.verifiers() and not unsigned:
        raise Refused(
            "Neither BACKUP_SIGNING_KEY nor BACKUP_PUBLIC_KEYS is set, so no signature could be checked: a copy with "
            "an administrator of a thief's would be believed. Nothing was changed. Set them, or give --unsigned."
        )
    listing = inventory(store)
    if not listing.runs:
        raise Refused(f"{store} holds no runs. Nothing was changed. Check the URL.")
    done = Recovered(store.url)
    copy = None if alone else _copy(store, [begun or wanted] if begun or wanted else listing.runs, done)
    if copy is not None:
        _bring_back(store, copy, done, watch, bool(begun))
    else:
        call_command("migrate", verbosity=0, interactive=False)
    _complete(store, listing, done, copy)
    target_database.end()
    return done


def _copy(store: Store, ids: list[str], done: Recovered) -> Manifest | None:
    """The newest copy of the portal that is proven; later ones that cannot be believed are told."""
    for pk in ids:
        try:
            manifest = load(store, pk, keys.verifier())
        except ManifestError as error:
            done.problems.append(f"run {pk} was left out: its manifest was rejected ({error})")
            continue
        if (manifest.environment, manifest.policy) != (PORTAL, NAME):
            continue
        verdicts = [
            proof for proof in proofs(store, pk, keys.verifier()) if proof["manifest_sha256"] == manifest.sha256
        ]
        if verdicts and verdicts[-1]["status"] == "proven":
            return manifest
        done.problems.append(f"the portal's copy {pk} is not proven and was not used")
    return None


def _bring_back(store: Store, copy: Manifest, done: Recovered, watch: Watch, begun: bool) -> None:
    """Every object is checked before the empty tables are dropped; then all rows come in one transaction."""
    done.run, done.taken_at, done.rows = copy.run, copy.source.taken_at, copy.rows
    if not begun:
        dsn = os.environ["DATABASE_URL"]
        check_objects(copy, store, keys.identities(), watch)
        connection.close()
        target_database.drop(dsn, copy.run)
        restored = restore(copy, store, keys.identities(), Target(dsn, emptied=True), watch)
        done.problems += [f"not rebuilt: {note}" for note in restored.notes]
    call_command("migrate", verbosity=0, interactive=False)


def _complete(store: Store, listing: Inventory, done: Recovered, copy: Manifest | None) -> None:
    now = database_time()
    head = Head.objects.filter(pk=1).first()
    done.entries, done.head = (head.sequence, head.sha256) if head else (0, "")
    newest = max((mark.size for mark in checkpoints.marks(store, keys.verifier())), default=0)
    done.lost_entries = max(0, newest - done.entries)
    if copy is not None:
        taken = datetime.fromisoformat(copy.source.taken_at)
        done.ended = rebuild.end_what_was_open(taken)
        done.tokens = _revoke_tokens(now)
        _move(copy, store)
        done.refreshed = rebuild.judge_again(store, listing, taken)
    added, problems = rebuild.add_missing(store, listing)
    done.added, done.problems = added, [*done.problems, *problems]
    done.purged = rebuild.mark_purged(store, listing)
    rebuild.rest(now)
    done.missing = sorted(set(_stored_here(store)) - set(listing.runs))
    Policy.objects.filter(environment__slug=PORTAL).update(identity_accepted_at=now)
    checkpoints.write_recovery(store, now, done.entries, done.head, done.run)
    _tell(done)
    report = verify()
    done.valid = report.valid
    done.problems += [f"ledger entry {problem.sequence}: {problem.problem}" for problem in report.problems]


def _revoke_tokens(now: datetime) -> int:
    """Whoever read the copy may have them; answers how many lived."""
    return AccessToken.objects.filter(revoked_at=None).update(revoked_at=now)


def _move(copy: Manifest, store: Store) -> None:
    """Runs that lay where the copy lay lie where it was found now."""
    old = Run.objects.filter(pk=copy.run).values_list("store_url", flat=True).first()
    if old and old != store.url:
        Run.objects.filter(store_url=old).update(store_url=store.url)


def _stored_here(store: Store) -> list[str]:
    rows = Run.objects.filter(store_url=store.url, operation__seeded=False).exclude(stored_at=None)
    return list(rows.values_list("pk", flat=True))


@transaction.atomic
def _tell(done: Recovered) -> None:
    record(
        "backups.portal.recovered",
        actor=SYSTEM,
        environment=PORTAL if done.run else "",
        subject=done.run,
        data={
            "taken_at": done.taken_at,
            "entries": done.entries,
            "head": done.head,
            "lost_entries": done.lost_entries,
            "added": len(done.added),
            "ended": done.ended,
            "missing": done.missing[:100],
        },
    )
