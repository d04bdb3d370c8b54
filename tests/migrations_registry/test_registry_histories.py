"""Generated histories of request, edit, approve, revoke, expire and apply.

Never approved without the needed other people; never begun after a byte, the plan, the target or a rule changed.
"""

from __future__ import annotations

import hashlib
import random
from contextlib import suppress
from datetime import timedelta
from importlib import import_module

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.utils import timezone

from migrations_registry.analysis.facts import CatalogFacts, TableFacts
from migrations_registry.effects.live import Live
from migrations_registry.models import MigrationFile, RulePolicy
from migrations_registry.services import planning
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import DiscoveredFile
from operations.approvals.voting import reject, revoke
from operations.engine.claim import claim
from operations.engine.claim_checks import accept
from operations.engine.finish import end
from operations.engine.request import request
from operations.models import Environment, Operation, Status
from providers.errors import Refused
from tests import sampling
from tests.people import vouch_for
from tests.stepping import approve

pytestmark = pytest.mark.django_db
MODEL = import_module("migrations_registry.analysis.model")
CONTENTS = [b"ALTER TABLE t DROP COLUMN a%d;" % number for number in range(2)]
CONTENTS += [b"CREATE INDEX i%d ON t (a);" % number for number in range(2)]
COUNT = sampling.size("MIGRATION_HISTORIES")
BEGUN: list[int] = []
NEEDED = {"destructive": 2, "sensitive": 1, "routine": 0}


class History:
    """One person asks, three vote; file, rules, the rules' code and the table's size change; a worker claims."""

    def __init__(self, seed: int, patch: pytest.MonkeyPatch) -> None:
        self.random, self.patch = random.Random(seed), patch
        self.code, self.rows, self.begun = 1, 10, 0
        self.asked: dict[str, tuple[object, ...]] = {}
        patch.setattr(settings, "OPS_LEASE_SECONDS", 600)  # nobody beats here, and a slow machine is no lost lease
        patch.setattr(MODEL, "ruleset", lambda: f"rules-{self.code}")
        patch.setattr(planning, "live_facts", lambda _: self.facts())
        patch.setattr(planning, "live_reach", lambda *_: [])
        patch.setattr(planning, "live_behaviour", lambda _: Live())
        patch.setattr(planning, "_newest", None)
        self.staging = Environment.objects.create(slug="staging", name="S")
        self.environment = Environment.objects.create(slug="production", name="P", kind="production", protected=True)
        permissions = Permission.objects.filter(codename__in=["apply_migrationfile", "approve_operation"])
        self.people = [User.objects.create(username=f"p{number}", is_staff=True) for number in range(4)]
        for person in self.people:
            person.user_permissions.set(permissions)
            vouch_for(person)
        self.people = list(User.objects.filter(username__startswith="p"))
        self.edit()

    def edit(self) -> None:
        data = self.random.choice(CONTENTS)
        file = DiscoveredFile("migration_01_a.sql", hashlib.sha256(data).hexdigest(), "migration", "01", data)
        register_files([file], source="test", by="p0")

    def pick(self, **wanted: object) -> Operation | None:
        operations = list(Operation.objects.filter(**wanted).order_by("requested_at"))
        return self.random.choice(operations) if operations else None

    def ask(self) -> None:
        file = MigrationFile.objects.newest().get()
        by = self.random.choice(self.people)
        operation = request("migrations.apply", by=by, environment=self.environment, parameters={"file": file.sha256})
        self.asked[operation.pk] = self.world(operation)

    def vote(self) -> None:
        operation = self.pick()
        if operation is not None:
            act = self.random.choice([approve, approve, approve, revoke])
            act(operation, by=self.random.choice(self.people))

    def agree(self) -> None:
        """Asked, everybody else says yes, and a worker is there at once, or something changes first."""
        self.ask()
        operation = Operation.objects.order_by("-requested_at")[0]
        for person in self.people:
            with suppress(Refused, PermissionDenied):
                approve(operation, by=person)
        self.random.choice([lambda: self.apply(operation), self.edit, self.grow])()

    def refuse(self) -> None:
        operation = Operation.objects.filter(status=Status.AWAITING_APPROVAL).first()
        if operation is not None and self.random.random() < 0.3:
            reject(operation, by=self.random.choice(self.people), comment="no")

    def expire(self) -> None:
        waiting = Operation.objects.filter(status=Status.AWAITING_APPROVAL)
        waiting.filter(expires_at__isnull=False).update(expires_at=timezone.now() - timedelta(hours=1))

    def rules(self) -> None:
        RulePolicy.objects.create(version=RulePolicy.objects.count() + 1, created_by="p0")

    def new_code(self) -> None:
        """Other code runs in another process, which has analysed nothing yet."""
        self.code += 1
        self.patch.setattr(planning, "_newest", None)

    def grow(self) -> None:
        self.rows = self.random.choice([10, 10_000_000])

    def retarget(self) -> None:
        """The database itself refuses to point a request somewhere else."""
        operation = self.pick()
        if operation is not None:
            with pytest.raises(DatabaseError), transaction.atomic():
                Operation.objects.filter(pk=operation.pk).update(environment=self.staging)

    def facts(self) -> CatalogFacts:
        return CatalogFacts({("public", "t"): TableFacts(rows=self.rows, bytes=8192)})

    def world(self, operation: Operation) -> tuple[object, ...]:
        """What the votes are about, as it is now."""
        newest = MigrationFile.objects.newest().get()
        risk = planning.review(newest, operation.environment).plan.risk
        return newest.sha256, RulePolicy.objects.count(), self.code, risk, operation.environment.slug

    def apply(self, operation: Operation | None = None) -> None:
        """A worker claims what is queued: it begins exactly when nothing changed since it was asked."""
        operation = operation or self.pick(status=Status.QUEUED)
        lease = claim(operation.pk, "worker") if operation else None
        if operation is None or lease is None:
            return
        begins = accept(lease) is not None
        assert begins == (self.world(operation) == self.asked[operation.pk])
        if begins:
            self.begun += 1
            self.enough(operation)
            end(lease, Status.SUCCEEDED, "")

    def step(self) -> None:
        verbs = [self.edit, self.ask, self.ask, self.ask, self.vote, self.vote, self.vote, self.vote, self.refuse]
        verbs += [self.agree, self.agree, self.expire, self.rules, self.new_code, self.grow, self.retarget]
        verbs += [self.apply, self.apply]
        try:
            self.random.choice(verbs)()
        except (Refused, PermissionDenied):
            pass

    def enough(self, operation: Operation) -> None:
        votes = operation.approvals.filter(revoked_at=None, decision="approve")
        assert votes.exclude(approved_by=operation.requested_by_id).count() >= NEEDED[operation.risk]

    def check(self) -> None:
        for operation in Operation.objects.exclude(status__in=[Status.REJECTED, Status.EXPIRED, Status.CANCELLED]):
            votes = operation.approvals.filter(revoked_at=None, decision="approve")
            others = {vote.approved_by_id for vote in votes} - {operation.requested_by_id}
            assert len(others) == votes.count()
            assert {vote.content_sha256 for vote in votes} <= {operation.content_sha256}
            if operation.status == Status.QUEUED:
                assert len(others) >= NEEDED[operation.risk]


@pytest.mark.parametrize("seed", range(COUNT))
def test_histories(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(seed, monkeypatch)
    history.ask()

    for _ in range(30):
        history.step()
        history.check()

    assert Operation.objects.exists()
    BEGUN.append(history.begun)


def test_some_histories_reach_their_end() -> None:
    """Runs after the generated ones (not where they are shared out): refusing everything would hold too."""
    assert len(BEGUN) < COUNT or sum(BEGUN) > 0
