"""A second destination: a proven run is copied there object by object, checked, its manifest last.

In: a manifest and two stores. Out: the number of objects copied; what is already there is not sent again.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings

from backups.archive import keys
from backups.archive.manifest import OLD_FORMAT, Manifest, manifest_key
from backups.archive.reader import load, segment_problem
from backups.archive.signed_json import ManifestError
from backups.facts.store import evidence_key
from backups.models import Run
from backups.progress import SILENT, Watch
from backups.stores.configured import other_url
from backups.stores.howto import HOWTO_KEY
from ledger.services import record
from operations.accounts import SYSTEM
from operations.notify import alarm
from operations.periodic.clock import database_time
from operations.periodic.isolation import one_by_one
from providers.errors import ProviderError, Refused
from providers.storage.base import AlreadyStored, Store
from providers.storage.factory import open_store


def mirror(manifest: Manifest, source: Store, target: Store, watch: Watch = SILENT) -> int:
    """Copy one run. Raises ProviderError when an object is damaged at the source or does not read back equal."""
    scripts = [f"{manifest.prefix}schema-{phase}.sql" for phase in ("before", "after")]
    papers = scripts if manifest.format == OLD_FORMAT else []
    listed = [item.key for item in source.list(f"runs/{manifest.run}/")]
    proofs = [key for key in listed if "/proof-" in key or key == evidence_key(manifest.run)]
    copied = 0
    for segment in manifest.segments:
        watch.check()
        problem = segment_problem(source, segment, (), deep=False)
        if problem:
            raise ProviderError(f"{manifest.name} was not copied to {target}: {problem}")
        copied += _copy(segment.key, source, target)
        problem = segment_problem(target, segment, (), deep=False)
        if problem:
            raise ProviderError(f"{manifest.name} is not whole in {target}: {problem}")
    _copy_howto(source, target)
    _same_run(manifest, source, target)
    late_rows = [item.key for item in source.list(f"runs/{manifest.run}/kept/")]
    for key in [*papers, *late_rows, manifest_key(manifest.run), *proofs]:
        copied += _copy(key, source, target)
    return copied


def _same_run(manifest: Manifest, source: Store, target: Store) -> None:
    """Each store was away in turn while one run was written: then both hold a whole copy, and neither is replaced."""
    key = manifest_key(manifest.run)
    if target.head(key) is not None and target.get(key) != source.get(key):
        raise ProviderError(f"{target} holds another manifest of {manifest.name}. Both copies are kept as they are.")


def _copy(key: str, source: Store, target: Store) -> int:
    if target.head(key) is not None:
        return 0
    target.put_once(key, source.get(key))
    return 1


def _copy_howto(source: Store, target: Store) -> None:
    try:
        _copy(HOWTO_KEY, source, target)
    except AlreadyStored:
        return


logger = logging.getLogger("backups.second_store")
LOOK_BACK = timedelta(days=30)
AT_ONCE = 5


def catch_up() -> int:
    """Copy the newest proven runs that are not in their second store yet; answers how many are complete now."""
    missing = Run.objects.counting().filter(
        mirrored_at=None, retired_at=None, proven_at__gt=database_time() - LOOK_BACK
    )
    runs = missing.exclude(policy__second_store_env="").select_related("policy__environment").order_by("-proven_at")
    return sum(one_by_one(runs[:AT_ONCE], _copy_run))


def _copy_run(run: Run) -> bool:
    first = other_url(run) == settings.BACKUP_STORE
    which = "first" if first else "second"
    name, key = f"{which} store of {run.policy}", f"{which} store of {run.policy.key}"
    try:
        copied = _mirror(run)
    except (ProviderError, Refused, ManifestError) as error:
        logger.warning("%s: %s", name, error)
        alarm(key, True, subject=f"The {name} misses {run}", body=str(error), daily=True)
        return False
    Run.objects.filter(pk=run.pk).update(mirrored_at=database_time())
    record(
        "backups.run.mirrored",
        actor=SYSTEM,
        environment=run.policy.environment.slug,
        subject=run.pk,
        data={"objects": copied, "policy": run.policy.name, "run_name": str(run)},
    )
    alarm(key, False, subject=f"The {name} is complete")
    return True


def _mirror(run: Run) -> int:
    variable, url = run.policy.second_store_env, other_url(run)
    if not url:
        raise Refused(f"{variable} is not set here, so {run} lies in one store only. Set it to a store URL.")
    source = open_store(run.store_url)
    manifest: Manifest = load(source, run.pk, keys.verifier())
    return mirror(manifest, source, open_store(url))
