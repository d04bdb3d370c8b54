"""The steps of a random walk that the portal takes part in, each with what the model says of its outcome.

In: a World and a Portal of the model. Out: real operations, and an assertion after each; a failure names every step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from backups.incidents import holds
from backups.incidents import service as incidents_service
from backups.models import Hold, Incident, Proof, Run
from backups.restore.into_empty import Target, restore
from backups.retention.facts import incomplete
from backups.stores.trusted_manifest import store_of, trusted_manifest
from operations.databases import renew
from operations.engine.run import run_operation
from operations.models import Environment, Operation
from tests import portal_database
from tests.backups.walk_portal import POLICY, Copy, Portal
from tests.backups.walk_rows import read
from tests.backups.walk_world import Kept, World
from tests.stepping import request

POOLS = frozenset({"export", "prove"})
TIMES = ("snapshot_at", "started_at", "stored_at", "proven_at", "ended_at", "retired_at")
WEIGHTS = {
    "insert": 5,
    "convert": 4,
    "late_begin": 3,
    "late_end": 2,
    "convert_again": 2,
    "edit": 2,
    "delete": 2,
    "cascade": 1,
    "schema": 1,
    "export": 5,
    "explain": 4,
    "keep": 1,
    "recover": 2,
    "clone": 1,
    "retention": 2,
    "restore": 2,
    "pass_time": 3,
}
CALM = WEIGHTS | {
    "convert_again": 0.3,
    "edit": 0.3,
    "delete": 0.3,
    "cascade": 0.1,
    "recover": 0.5,
    "export": 8,
    "retention": 6,
    "pass_time": 5,
}


@dataclass
class Walk:
    world: World
    portal: Portal
    production: Environment
    by: User
    monkeypatch: pytest.MonkeyPatch
    tick: int = 0
    told: list[str] = field(default_factory=list)

    def step(self, name: str) -> None:
        self.tick += 1
        self.told.append(name)
        try:
            getattr(self if hasattr(self, name) else self.world, name)()
        except BaseException as error:
            error.add_note(" ".join(self.told))
            raise

    def _ask(self, kind: str) -> Operation:
        made = request(kind, by=self.by, environment=self.production, parameters={"policy": POLICY}, reason="walk")
        run_operation(made.pk, "test", POOLS, end_process=lambda: None)
        return Operation.objects.get(pk=made.pk)

    def export(self) -> None:
        """Copy, prove and compare; the run, its findings and the open alarms are the model's."""
        self.monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", self.world.dsn("export"))
        operation = self._ask("backups.export")
        run = Run.objects.get(operation=operation)
        sizes = {table.qualified: table.raw_bytes for table in trusted_manifest(run, store_of(run)).tables}
        assert run.snapshot_at is not None
        copy = Copy(run.pk, self.tick, run.snapshot_at, self.world.state.copy(), sizes)
        self.portal.judge(copy)
        examined = Proof.objects.get(run=run).document["examined"]
        totals = {(finding["code"], finding["subject"]): finding["total"] for finding in examined["findings"]}
        assert examined["not_compared"] == ""
        assert (run.rows, examined["baseline"]) == (sum(copy.state.counts().values()), copy.baseline)
        assert totals == {key: total for key, (total, _) in copy.findings.items()}
        assert (run.status, run.reason if run.status == "failed" else "") == (copy.status, "")
        self.alarms()

    def alarms(self) -> None:
        assert {(incident.code, incident.subject) for incident in Incident.objects.open()} == self.portal.open()
        assert set(Run.objects.held().values_list("pk", flat=True)) == self.portal.held

    def explain(self) -> None:
        """A person explains every open alarm; sometimes the holds are released as well."""
        for incident in Incident.objects.open():
            incidents_service.resolve(incident, "sam", "the walk did it")
        for alarm in self.portal.alarms:
            alarm.resolved = alarm.resolved or self.tick
        if self.world.rng.random() < 0.5:
            for hold in Hold.objects.filter(released_at=None):
                holds.release(hold, "sam", "explained")
            self.portal.held = set()
        self.alarms()

    def keep(self) -> None:
        self.world.keep(self.tick)

    def clone(self) -> None:
        self.world.clone(self.tick)
        self._moved()

    def _moved(self) -> None:
        """Another database answers now, as people agreed: the next session records it."""
        moving = Operation.objects.create(
            kind="environments.rebind",
            environment=self.production,
            risk="destructive",
            requested_by=self.by,
            approvals_required=0,
            content_sha256="0" * 64,
            status="queued",
            expires_at=timezone.now(),
        )
        Operation.objects.advance(moving.pk, "queued", "running")
        renew(self.production)
        Operation.objects.advance(moving.pk, "running", "succeeded")

    def recover(self) -> None:
        """Point-in-time recovery: asked for through the portal (then nothing is an alarm), or behind its back."""
        if not self.world.kept:
            return
        to: Kept = self.world.rng.choice(self.world.kept)
        self.world.recover(to)
        self._moved()
        if self.world.rng.random() < 0.5:
            now = timezone.now()
            Operation.objects.create(
                kind="backups.provider_pitr",
                environment=self.production,
                parameters={},
                risk="destructive",
                requested_by=self.by,
                approvals_required=0,
                content_sha256="0" * 64,
                status="queued",
                expires_at=now,
                result={"restored_to": to.at.isoformat(), "restored_at": now.isoformat()},
            )
            self.portal.undone.append((to.tick, self.tick))

    def retention(self) -> None:
        """Retire, then delete what was retired long enough: exactly the model's; nothing else is missing."""
        now = timezone.now()
        going = self.portal.retire(now)
        operation = self._ask("backups.retire")
        assert set(operation.result.get("retired", [])) == (going or set())
        assert (operation.status == "succeeded") == (going is not None)
        for copy in self.portal.copies:
            copy.retired = now if copy.run in (going or ()) else copy.retired
        due = self.portal.due(now)
        purged = self._ask("backups.purge").result.get("purged", [])
        assert set(purged) == due
        for copy in self.portal.copies:
            copy.purged |= copy.run in due
        kept = Run.objects.filter(purged_at=None)
        assert set(kept.values_list("pk", flat=True)) == {copy.run for copy in self.portal.copies if not copy.purged}
        assert incomplete(kept) == frozenset()

    def restore(self) -> None:
        """Any run that still has data gives back exactly the rows of its moment."""
        stored = [copy for copy in self.portal.copies if not copy.purged]
        if not stored:
            return
        copy, name = self.world.rng.choice(stored), f"walked_{uuid4().hex[:12]}"
        run = Run.objects.get(pk=copy.run)
        portal_database.server.create_database(name)
        try:
            dsn = portal_database.server.dsn(name)
            restore(trusted_manifest(run, store_of(run)), store_of(run), (), Target(dsn))
            with psycopg.connect(dsn) as connection:
                back = read(connection)
        finally:
            portal_database.server.drop_database(name)
        assert (back.audit, back.assignments) == (copy.state.audit, copy.state.assignments)
        assert (back.counts(), back.added) == (copy.state.counts(), copy.state.added)

    def pass_time(self) -> None:
        """Hours or days pass: everything that was written down is that much older."""
        span = timedelta(hours=self.world.rng.choice([1, 7, 30, 24 * 8, 24 * 8]))
        self.portal.pass_time(span)
        Run.objects.update(**{name: F(name) - span for name in TIMES})
        Incident.objects.update(opened_at=F("opened_at") - span, resolved_at=F("resolved_at") - span)
        for kept in self.world.kept:
            kept.at -= span
        for operation in Operation.objects.filter(result__has_key="restored_at"):
            moved = {key: (datetime.fromisoformat(at) - span).isoformat() for key, at in operation.result.items()}
            Operation.objects.filter(pk=operation.pk).update(result=moved)
