"""The papers beside a run, as far as the portal remembers them, in every store that holds the run.

In: a Run. Out: sentences about what is not as it was written. Raises StoreError where a store does not answer.
"""

from __future__ import annotations

from backups.archive import keys
from backups.archive.late_rows import late_rows_problems
from backups.models import Proof, Run
from backups.stores.configured import other_url
from backups.stores.papers import paper_problems, proof_key
from backups.stores.trusted_manifest import Rejected, store_of, trusted_manifest
from providers.storage.base import Store
from providers.storage.factory import open_store


def written_papers(run: str) -> tuple[str, ...]:
    """Keys of the papers that the portal wrote beside this run."""
    known = Proof.objects.filter(run=run).values_list("document", "evidence")
    return tuple(key for document, facts in known for key in (proof_key(document), (facts or {}).get("key")) if key)


def changed_papers(run: Run) -> list[str]:
    """Manifest, proofs, facts, late rows and instructions; a later proof need not lie in the second store."""
    problems = _changed(run, store_of(run), written_papers(run.pk))
    if run.mirrored_at and (url := other_url(run)):
        second = open_store(url)
        problems += [f"In {second}: {text}" for text in _changed(run, second)]
    return problems


def _changed(run: Run, store: Store, written: tuple[str, ...] = ()) -> list[str]:
    try:
        manifest = trusted_manifest(run, store)
    except Rejected as error:
        return [error.message]
    late = late_rows_problems(store, manifest, keys.verifier())
    return [*late, *paper_problems(store, manifest, keys.verifier(), written)]
