"""Generated histories of request, edit, approve, revoke and expire: never approved without the needed other people."""

from __future__ import annotations

import hashlib
import random
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from migrations_registry.discovery import Found
from migrations_registry.models import MigrationFile, RulePolicy
from migrations_registry.services.registration import register_files
from operations.approvals.voting import approve, reject, revoke
from operations.engine.request import request
from operations.models import Environment, Operation, Status
from providers.errors import Refused

pytestmark = pytest.mark.django_db
CONTENTS = [b"ALTER TABLE t DROP COLUMN a%d;" % number for number in range(4)]
NEEDED = {"destructive": 2, "sensitive": 1, "routine": 0}


class History:
    """One person asks, three vote, the file and the rules change in between."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.environment = Environment.objects.create(slug="production", name="P", kind="production", protected=True)
        permissions = Permission.objects.filter(codename__in=["apply_migrationfile", "approve_operation"])
        self.people = [User.objects.create(username=f"p{number}", is_staff=True) for number in range(4)]
        for person in self.people:
            person.user_permissions.set(permissions)
        self.people = list(User.objects.filter(username__startswith="p"))
        self.edit()

    def edit(self) -> None:
        data = self.random.choice(CONTENTS)
        found = Found("migration_01_a.sql", hashlib.sha256(data).hexdigest(), "migration", "01", data)
        register_files([found], source="test", by="p0")

    def ask(self) -> None:
        file = MigrationFile.objects.newest().get()
        by = self.random.choice(self.people)
        request("migrations.apply", by=by, environment=self.environment, parameters={"file": file.sha256})

    def vote(self) -> None:
        operation = Operation.objects.order_by("?").first()
        if operation is not None:
            act = self.random.choice([approve, approve, approve, revoke])
            act(operation, by=self.random.choice(self.people))

    def refuse(self) -> None:
        operation = Operation.objects.filter(status=Status.AWAITING_APPROVAL).first()
        if operation is not None and self.random.random() < 0.3:
            reject(operation, by=self.random.choice(self.people), comment="no")

    def expire(self) -> None:
        waiting = Operation.objects.filter(status=Status.AWAITING_APPROVAL)
        waiting.filter(expires_at__isnull=False).update(expires_at=timezone.now() - timedelta(hours=1))

    def rules(self) -> None:
        RulePolicy.objects.create(version=RulePolicy.objects.count() + 1, created_by="p0")

    def step(self) -> None:
        verbs = [self.edit, self.ask, self.ask, self.vote, self.vote, self.vote, self.refuse, self.expire, self.rules]
        try:
            self.random.choice(verbs)()
        except (Refused, PermissionDenied):
            pass

    def check(self) -> None:
        for operation in Operation.objects.exclude(status__in=[Status.REJECTED, Status.EXPIRED, Status.CANCELLED]):
            votes = operation.approvals.filter(revoked_at=None, decision="approve")
            others = {vote.approved_by_id for vote in votes} - {operation.requested_by_id}
            assert len(others) == votes.count()
            assert {vote.content_sha256 for vote in votes} <= {operation.content_sha256}
            if operation.status == Status.QUEUED:
                assert len(others) >= NEEDED[operation.risk]


@pytest.mark.parametrize("seed", range(6))
def test_histories(seed: int) -> None:
    history = History(seed)

    for _ in range(25):
        history.step()
        history.check()

    assert Operation.objects.exists()
