"""Discovered files become rows: one per content, with their findings, in one transaction with the ledger."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q

from ledger.services import record
from migrations_registry.analysis import analyse
from migrations_registry.analysis.model import Analysis
from migrations_registry.models import Finding, MigrationFile
from migrations_registry.sources.discovery import DiscoveredFile, of_one_version
from operations.models import Environment
from providers.errors import Refused
from providers.redact import redact


def register_files(
    files: Iterable[DiscoveredFile], *, source: str, by: str, environment: str = ""
) -> list[MigrationFile]:
    """Register each content that is not known yet; returns the new rows. Raises Refused for an unknown environment."""
    if environment and not Environment.objects.filter(slug=environment).exists():
        raise Refused(f"There is no environment {environment}; nothing was registered.")
    with transaction.atomic():
        rows = [row for position, file in enumerate(files, 1) if (row := _register(file, position, source, by))]
        if rows:
            record(
                "migrations_registry.files.registered",
                actor=by,
                environment=environment,
                subject=rows[0].path if len(rows) == 1 else f"{len(rows)} files",
                data={"source": redact(source)[:300], "files": [f"{row.path} {row.sha256}" for row in rows]},
            )
    return rows


def _register(file: DiscoveredFile, position: int, source: str, by: str) -> MigrationFile | None:
    """One row, or only the file's new place in the order where the content is known."""
    revisions = MigrationFile.objects.select_for_update().filter(path=file.path).order_by("-revision")
    newest = revisions.first()
    if revisions.filter(sha256=file.sha256).exists():
        MigrationFile.objects.filter(path=file.path, sha256=file.sha256).update(position=position)
        return None
    if newest is None:
        _refuse_twin(file)
    analysis = analyse(file.data, as_runner=True)
    row = MigrationFile.objects.create(
        path=file.path,
        sha256=file.sha256,
        stream=file.stream,
        version=file.version,
        revision=newest.revision + 1 if newest else 1,
        previous=newest,
        position=position,
        content=file.data,
        size_bytes=len(file.data),
        source=redact(source)[:300],
        risk=analysis.risk,
        ruleset=analysis.ruleset,
        discovered_by=by,
    )
    _keep_findings(row, analysis)
    return row


def _keep_findings(row: MigrationFile, analysis: Analysis) -> None:
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


def _refuse_twin(file: DiscoveredFile) -> None:
    """A new path that stands for a registered one."""
    same = Q(path__iexact=file.path)
    if start := of_one_version(file.path):
        same |= Q(path__startswith=start)
    if twin := MigrationFile.objects.filter(same).only("path").first():
        raise Refused(
            f"{file.path} would stand beside {twin.path}, which has the same version or differs only in case: the "
            "history has one row for both. Nothing was registered. Give it the registered name, or another version."
        )
