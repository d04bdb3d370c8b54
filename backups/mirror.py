"""A second destination: a proven run is copied there object by object, checked, its manifest last.

In: a manifest and two stores. Out: the number of objects copied; what is already there is not sent again.
"""

from __future__ import annotations

from backups.evidence.stored import evidence_key
from backups.howto import HOWTO_KEY
from backups.manifest import Manifest, manifest_key
from backups.progress import SILENT, Watch
from backups.reading import segment_problem
from providers.errors import ProviderError
from providers.storage.base import AlreadyStored, Store


def mirror(manifest: Manifest, source: Store, target: Store, watch: Watch = SILENT) -> int:
    """Copy one run. Raises ProviderError when an object is damaged at the source or does not read back equal."""
    papers = [f"{manifest.prefix}schema-{phase}.sql" for phase in ("before", "after")]
    listed = [item.key for item in source.list(f"runs/{manifest.run}/")]
    proofs = [key for key in listed if "/proof-" in key or key == evidence_key(manifest.run)]
    copied = 0
    for segment in manifest.segments:
        watch.check()
        problem = segment_problem(source, segment, (), deep=False)
        if problem:
            raise ProviderError(f"Run {manifest.run} was not copied to {target}: {problem}")
        copied += _copy(segment.key, source, target)
        problem = segment_problem(target, segment, (), deep=False)
        if problem:
            raise ProviderError(f"Run {manifest.run} is not whole in {target}: {problem}")
    _copy_howto(source, target)
    _same_run(manifest, source, target)
    kept = [item.key for item in source.list(f"runs/{manifest.run}/kept/")]
    for key in [*papers, *kept, manifest_key(manifest.run), *proofs]:
        copied += _copy(key, source, target)
    return copied


def _same_run(manifest: Manifest, source: Store, target: Store) -> None:
    """Each store was away in turn while one run was written: then both hold a whole copy, and neither is replaced."""
    key = manifest_key(manifest.run)
    if target.head(key) is not None and target.get(key) != source.get(key):
        raise ProviderError(f"{target} holds another manifest of run {manifest.run}. Both copies are kept as they are.")


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
