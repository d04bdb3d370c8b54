"""Discovered files become rows: one per content, with their findings, in one transaction with the ledger."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from ledger.services import record
from migrations_registry.analysis import analyse
from migrations_registry.models import Finding, MigrationFile
from migrations_registry.sources.discovery import Found
from operations.models import Environment
from providers.errors import Refused
from providers.redact import redact


def register_files(found: Iterable[Found], *, source: str, by: str, environment: str = "") -> list[MigrationFile]:
    """Register each content that is not known yet; returns the new rows. Raises Refused for an unknown environment."""
    if environment and not Environment.objects.filter(slug=environment).exists():
        raise Refused(f"There is no environment {environment}; nothing was registered.")
    with transaction.atomic():
        made = [row for position, each in enumerate(found, 1) if (row := _register(each, position, source, by))]
        if made:
            record(
                "migrations_registry.files.registered",
                actor=by,
                environment=environment,
                subject=made[0].path if len(made) == 1 else f"{len(made)} files",
                data={"source": redact(source)[:300], "files": [f"{row.path} {row.sha256}" for row in made]},
            )
    return made


def _register(each: Found, position: int, source: str, by: str) -> MigrationFile | None:
    """One row, or only the file's new place in the order where the content is known."""
    revisions = MigrationFile.objects.select_for_update().filter(path=each.path).order_by("-revision")
    newest = revisions.first()
    if revisions.filter(sha256=each.sha256).exists():
        MigrationFile.objects.filter(path=each.path, sha256=each.sha256).update(position=position)
        return None
    analysis = analyse(each.data, as_runner=True)
    row = MigrationFile.objects.create(
        path=each.path,
        sha256=each.sha256,
        stream=each.stream,
        version=each.version,
        revision=newest.revision + 1 if newest else 1,
        previous=newest,
        position=position,
        content=each.data,
        size_bytes=len(each.data),
        source=redact(source)[:300],
        risk=analysis.risk,
        ruleset=analysis.ruleset,
        discovered_by=by,
    )
    Finding.objects.bulk_create(
        Finding(
            file=row,
            rule=finding.rule,
            severity=finding.severity,
            lock=finding.lock or "",
            rewrite=finding.rewrite,
            scan=finding.scan,
            line=statement.line,
            end_line=statement.end_line,
            message=finding.message,
            safe_form=finding.safe_form,
        )
        for statement in analysis.statements
        for finding in statement.findings
    )
    return row
