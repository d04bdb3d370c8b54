"""Registered migrations for the world of pages: two revisions, one that waits for votes, a waiver, a plan."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils import timezone

from backups.models import Run
from migrations_registry.models import (
    Application,
    DriftIncident,
    HistoryReading,
    MigrationFile,
    Rehearsal,
    RulePolicy,
    SchemaFingerprint,
    SourceCommit,
    StreamBaseline,
)
from migrations_registry.services.kept_plans import keep_plan
from migrations_registry.services.planning import review
from migrations_registry.services.registration import register_files
from migrations_registry.services.waivers import propose
from migrations_registry.sources.discovery import discover
from operations.engine.request import request
from operations.models import Environment

SCHEMA = b"CREATE TABLE assignments (id uuid PRIMARY KEY, metadata jsonb);\nCREATE INDEX ON assignments (metadata);\n"
FIRST = b"-- legacy score is computed on read since v2.4\nALTER TABLE element_variants DROP COLUMN legacy_score;\n"
SECOND = b"""-- legacy score is computed on read since v2.4
CREATE INDEX idx_assignments_metadata ON assignments USING gin (metadata);
ALTER TABLE element_variants DROP COLUMN legacy_score;
COMMENT ON TABLE element_variants IS 'Variants of an element';
GRANT SELECT ON element_variants TO anon;
"""


def migrations(production: Environment, by: User) -> None:
    """Everything above."""
    path = "database/schema/migration_07_drop_legacy_score.sql"
    for second in (FIRST, SECOND):
        migrations, _ = discover([("database/schema/schema_phase1.sql", SCHEMA), (path, second)])
        register_files(migrations, source="https://git.example/sampelit@a1f93c2", by=by.username)
    file = MigrationFile.objects.newest().get(path=path)
    propose(file, "ML-INDEX", 2, reason="The table is small.", by=by)
    keep_plan(review(file, production))
    RulePolicy.objects.create(version=1, created_by=by.username)
    Application.objects.create(
        file=file,
        environment=production,
        operation="0" * 26,
        status="partly",
        error="Step 2 did not get its locks in 12 tries; nothing of it was changed.",
        longest_wait_ms=2004,
        steps=[
            {
                "number": 1,
                "title": "Alone, outside a transaction: line 2",
                "transactional": False,
                "status": "done",
                "statements": [0],
                "tables": ["public.assignments"],
                "attempts": 1,
                "seconds": 8.2,
                "xid": "",
            },
            {
                "number": 2,
                "title": "Transaction: lines 3–5",
                "transactional": True,
                "status": "pending",
                "statements": [1, 2, 3],
                "tables": ["public.element_variants"],
                "attempts": 12,
                "xid": "771",
                "kept": {"rows": 3, "seconds": 0.04, "key": "runs/01M83/kept/002-000001-012/"},
            },
        ],
    )
    drift(production)
    histories(production)
    rehearsal(production, file)
    request("migrations.apply", by=by, environment=production, parameters={"file": file.sha256}, reason="v2.4 is live")


def rehearsal(production: Environment, file: MigrationFile) -> None:
    """One that failed, and saw what the rules had not said."""
    run = Run.objects.filter(policy__environment=production).first()
    assert run is not None
    line = {"line": 2, "lock": "ACCESS EXCLUSIVE", "claimed": "SHARE", "rewritten": ["public.assignments"]}
    costs = {"seconds": 0.31, "forecast_seconds": 41.5, "wal_bytes": 3_000_000, "rows": -1}
    disagreements = ["takes ACCESS EXCLUSIVE, the rules say SHARE"]
    effect = {"said": "deleted 12 rows of public.assignments", "rows": 12, "forecast_rows": 1204}
    Rehearsal.objects.create(
        file=file,
        environment=production,
        run=run,
        operation="1" * 26,
        content_sha256="0" * 64,
        status="failed",
        error="Step 2, of which nothing was kept, stopped: division by zero.",
        seconds=4.2,
        requested_by="system",
        report={
            "before": ["schema_phase1.sql"],
            "missing": [],
            "hazards": [],
            "blocked_seconds": 41.5,
            "statements": [{**line, **costs, "disagreements": disagreements}],
            "effects": {"0": [effect]},
            "undeclared": {"0": [effect]},
        },
    )


def drift(production: Environment) -> None:
    """A column that somebody added behind the portal's back."""
    trust = {"trusted_because": "the first look", "trusted_at": timezone.now()}
    before, after = (
        SchemaFingerprint.objects.create(environment=production, sha256=digit * 64, **extra)
        for digit, extra in (("a", trust), ("b", {}))
    )
    changed = {"kind": "column", "name": "public.users.note", "change": "added", "before": "", "after": "note text"}
    around = {"at": "2026-11-23 02:00", "actor": "operator", "code": "deployments.deploy.live", "subject": "a1f93c2"}
    DriftIncident.objects.create(
        environment=production, expected=before, found=after, changes=[changed], around=[around]
    )


def histories(production: Environment) -> None:
    """Production read lately, staging down; a row that nobody registered; a commit that was read."""
    files = list(MigrationFile.objects.newest().order_by("position"))
    states = [
        {"state": "applied", "late": False, "version": "20260101000001"},
        {"state": "changed", "late": False, "version": "20260101000002", "applied_revision": 1},
    ]
    HistoryReading.objects.create(
        environment=production,
        read_at=timezone.now(),
        has_table=True,
        role="sampelit_migration",
        states={str(file.pk): told for file, told in zip(files, states, strict=False)},
        unknown=[{"version": "20251231000000", "name": "add_note_by_hand", "by": "ana@sampelit.example"}],
    )
    StreamBaseline.objects.create(environment=production, stream="schema", operation="0" * 26, made_by="operator")
    HistoryReading.objects.create(
        environment=Environment.objects.get(slug="staging"),
        problem="The database at db.staging.example:5432/postgres did not accept the connection: timeout expired.",
    )
    SourceCommit.objects.create(repository="https://git.example/sampelit", commit="a1f93c2")


def destructive_pk() -> int | None:
    """The file that waits for votes."""
    rows = MigrationFile.objects.newest().filter(stream="migration")
    return rows.values_list("pk", flat=True).first()
