"""sampelit-ops export POLICY.toml --store URL: copy and prove without queue and without the portal's database."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from backups.archive import keys
from backups.archive.manifest import Manifest
from backups.export.exporter import ExportPlan, export
from backups.facts import store as facts_store
from backups.facts.model import document_of
from backups.management import cli
from backups.policy_spec import PolicyError, PolicySpec, read_toml
from backups.proof.prove import Verdict, prove, store_proof
from operations.dsns import dsn_from
from operations.models.ulid import new_ulid
from providers.answers import Answer
from providers.storage.base import Store
from providers.storage.probe import ready


class Command(cli.StoreCommand):
    help = "Copies the tables of a policy file into a store and proves the copy by restoring it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("policy", help="TOML file {name, environment, tables[], format, recipients[]}")
        parser.add_argument("--store", required=True, help="file:///dir or s3://bucket/prefix?endpoint=URL&region=R")
        parser.add_argument("--no-proof", action="store_true", help="stop when the copy is stored")
        parser.add_argument("--connections", type=int, default=2, choices=(1, 2, 3), help="for large databases")

    def answer(self, options: dict[str, Any]) -> Answer:
        spec = _read(options["policy"])
        store = cli.store_from(options["store"])
        document = self._run(spec, store, options)
        lines = [f"run {document['run']} {document['status']} in {store}: {document['rows']} rows"]
        lines += [f"  {text}" for text in (*document["problems"], *document["declared"])]
        return Answer(
            document,
            lines,
            code=0 if document["status"] in ("proven", "stored") else 1,
            follow=f"`sampelit-ops verify_run {document['run']} --store {store.url} --deep` reads it back.",
        )

    def _run(self, spec: PolicySpec, store: Store, options: dict[str, Any]) -> dict[str, Any]:
        began = time.monotonic()
        watch = cli.watch(options["json"])
        recipients = spec.recipients or keys.recipients()
        keys.refuse_single_recipient(recipients)
        ready(store)
        signer = keys.signer()
        proves = not options["no_proof"] and not (recipients and not keys.identities())
        plan = ExportPlan(
            new_ulid(),
            dsn_from(spec.variable, "the read-only role", "copied"),
            store,
            recipients=recipients,
            signer=signer,
            connections=options["connections"],
            room_for_drill=proves,
        )
        manifest = export(spec, plan, watch)
        copied = time.monotonic()
        verdict = None
        if proves:
            verdict = prove(manifest, store, keys.identities(), watch)
            store_proof(store, verdict, signer)
            facts_store.leave(store, document_of(verdict.facts), signer)
        return _document(manifest, verdict, store, copied - began, time.monotonic() - copied)


def _document(
    manifest: Manifest, verdict: Verdict | None, store: Store, copied: float, proved: float
) -> dict[str, Any]:
    return {
        "run": manifest.run,
        "status": verdict.status if verdict else "stored",
        "problems": verdict.reasons if verdict else [],
        "declared": [*manifest.not_covered, *(verdict.missing if verdict else ())],
        "store": store.url,
        "manifest_sha256": manifest.sha256,
        "rows": manifest.rows,
        "raw_bytes": manifest.raw_bytes,
        "stored_bytes": manifest.stored_bytes,
        "tables": [{"table": t.qualified, "rows": t.rows, "format": t.format} for t in manifest.tables],
        "copy_seconds": round(copied, 3),
        "proof_seconds": round(proved, 3) if verdict else None,
    }


def _read(path: str) -> PolicySpec:
    try:
        return read_toml(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}. Nothing was copied.", returncode=2) from None
    except PolicyError as error:
        raise CommandError(f"{error} Nothing was copied.", returncode=2) from None
