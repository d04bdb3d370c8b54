"""sampelit-ops verify_run RUN [--store URL] [--deep] --json: read a run back and compare it with its manifest."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from backups.archive import keys, tombstone
from backups.archive.late_rows import late_rows_problems
from backups.archive.manifest import Manifest
from backups.archive.reader import load, proofs, segment_problem
from backups.archive.signed_json import ManifestError
from backups.management import cli
from backups.proof.prove import prove
from backups.stores.howto import HOWTO_KEY
from backups.stores.papers import paper_problems
from providers.answers import Answer
from providers.errors import ProviderError, Refused
from providers.redact import redact
from providers.storage.base import Store

Known = tuple[str, str, tuple[str, ...]]  # store, digest of the manifest, papers that must be there
UNKNOWN = "The portal knows no run {}. Give --store URL to look into a store."


class Command(cli.StoreCommand):
    help = "Checks a run: signature and stored digests; with --deep also a restore into a throwaway server."
    note = ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run")
        parser.add_argument("--store", help="store URL; with it the portal's database is not touched")
        parser.add_argument("--deep", action="store_true", help="decrypt, restore and compare every row")

    def answer(self, options: dict[str, Any]) -> Answer:
        run = options["run"]
        known = (options["store"], "", ()) if options["store"] else _remembered(run)
        status, problems = self._verify(run, known, options) if known else ("failed", [UNKNOWN.format(run)])
        line = f"run {run} {status}" + (f": {self.note}" if self.note else "")
        document = {"run": run, "status": status, "problems": problems} | ({"note": self.note} if self.note else {})
        deeper = "" if options["deep"] else "--deep restores it and compares every row."
        follow = "another run: `sampelit-ops list_runs`." if problems else deeper
        return Answer(document, [line, *(f"  {problem}" for problem in problems)], 1 if problems else 0, follow=follow)

    def _verify(self, run: str, known: Known, options: dict[str, Any]) -> tuple[str, list[str]]:
        url, expected, written = known
        store = cli.store_from(url, reading=True)
        try:
            manifest = load(store, run, keys.verifier())
        except Refused as error:
            return "failed", [error.reason]
        except ManifestError as error:
            return "failed", [f"The manifest was rejected: {error}."]
        if expected and manifest.sha256 != expected:
            return "failed", ["The manifest was replaced: its digest is not the one the portal wrote down."]
        papers = paper_problems(store, manifest, keys.verifier(), written)
        note = tombstone.noted(store, manifest, keys.verifier())
        if note:
            self.note = f"the manifest holds; {tombstone.described(note)}"
            return "purged", papers
        if store.head(HOWTO_KEY) is None:
            self.note = f"{HOWTO_KEY} is not there; the next export writes it"
        problems = [p for s in manifest.segments if (p := segment_problem(store, s, (), deep=False))]
        problems += [*late_rows_problems(store, manifest, keys.verifier()), *papers]
        if problems:
            return "failed", problems
        return _deep(store, manifest, options["json"]) if options["deep"] else (_status(store, manifest), [])


def _deep(store: Store, manifest: Manifest, quiet: bool) -> tuple[str, list[str]]:
    try:
        verdict = prove(manifest, store, keys.identities(), cli.watch(quiet))
    except ProviderError as error:
        return "failed", [f"The drill could not run: {redact(error.message)}"]
    return verdict.status, verdict.reasons


def _status(store: Store, manifest: Manifest) -> str:
    verdicts = [p for p in proofs(store, manifest.run, keys.verifier()) if p.get("manifest_sha256") == manifest.sha256]
    return str(verdicts[-1]["status"]) if verdicts else "stored"


def _remembered(run: str) -> Known | None:
    """Where the portal stored the run, the manifest's digest as it wrote it down, and the papers it wrote beside it."""
    from backups.models import Run
    from backups.stores.run_papers import written_papers

    known = Run.objects.filter(pk=run).values_list("store_url", "manifest_sha256").first()
    return (*known, written_papers(run)) if known else None
