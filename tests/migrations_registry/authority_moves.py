"""What may happen to requests while rights change: each method of `Moves` is one thing that a person, time or SQL does.

In: the random numbers and the model of a life. Out: rows through the real services or past them, and the same in the
model's words.
"""

from __future__ import annotations

import random
from datetime import timedelta

from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.utils import timezone

from ledger.services import record
from migrations_registry.analysis import analyse
from migrations_registry.models import MigrationFile, RulePolicy, Waiver
from operations.approvals.voting import reevaluate
from operations.audit import note
from operations.engine.run import run_operation
from operations.engine.specs import POOLS
from operations.models import Approval, Environment, Operation, Step
from operations.models.ulid import new_ulid
from providers.errors import Refused
from tests.migrations_registry.authority_model import ADMINS, ASKERS, RIGHTS, VOTERS, Model
from tests.registering import registered
from tests.stepping import approve, break_glass, confirm, request, revoke

DROPS, BUILDS, ADDS = b"ALTER TABLE t DROP COLUMN a;", b"CREATE INDEX i ON t (a);", b"ALTER TABLE t ADD COLUMN b int;"
ANY_ROWS = 10**12
APPLY, RULES, CHANGE = "migrations.apply", "migrations.change_rules", "environments.change"
PRODUCT = {"system_identifier": "7", "database_oid": 5, "database_name": "product"}
PATHS = ("migration_01_a.sql", "migration_02_b.sql")
MAY = {
    "ask": ("migrations_registry", "apply_migrationfile"),
    "glass": ("operations", "break_glass"),
    "rules": ("migrations_registry", "change_rules"),
    "places": ("operations", "change_environment"),
    "people": ("auth", "change_user"),
}


def settle() -> None:
    """The people, in rows and in the ledger; `nina` became an approver just now, by the hands of amir."""
    group = Group.objects.create(name="Approver")
    group.permissions.set(Permission.objects.filter(codename="approve_operation"))
    for name, rights in RIGHTS.items():
        person = User.objects.create(username=name, is_staff=True)
        for right in rights:
            switch_right(person, right, on=True)
    for name in VOTERS[:3]:
        record("operations.approver_confirmed", actor="founder", subject=name, data={"roles": ["Approver"]})
    record("operations.voters_known", actor="system", data={"people": {name: ["Admin"] for name in ADMINS}})
    record("signin.invited", actor="amir", subject="nina", data={"roles": ["Approver"]})
    production = Environment.objects.create(slug="production", name="P", kind="production", protected=True)
    Environment.objects.filter(pk=production.pk).update(**PRODUCT)
    Environment.objects.create(slug="staging", name="S")


def switch_right(person: User, right: str, *, on: bool) -> None:
    """As SQL does it: no entry says so."""
    if right == "vote":
        (person.groups.add if on else person.groups.remove)(Group.objects.get(name="Approver"))
        return
    app, codename = MAY[right]
    permission = Permission.objects.get(content_type__app_label=app, codename=codename)
    (person.user_permissions.add if on else person.user_permissions.remove)(permission)


class Moves:
    def __init__(self, seed: int) -> None:
        self.random, self.model = random.Random(seed), Model()
        for path in PATHS:
            self.edit(path)

    def pick(self) -> Operation:
        operations = list(Operation.objects.exclude(status__in=["succeeded", "expired"]).order_by("requested_at"))
        if not operations:
            raise Refused("nothing waits")
        return self.random.choice(operations)

    def person(self, *names: str) -> User:
        return User.objects.get(username=self.random.choice(names or tuple(RIGHTS)))

    def ask(self) -> None:
        where = Environment.objects.get(slug=self.random.choice(["production", "staging"]))
        which = self.random.random()
        if which < 0.15:
            given = {"rows": str(self.random.randrange(10**6, 10**9))}
            asked = request(RULES, by=self.person(*ADMINS), environment=where, parameters=given)
        elif which < 0.3:
            given = {"votes_destructive": self.random.choice("0123")}
            asked = request(CHANGE, by=self.person(*ADMINS), environment=where, parameters=given)
        else:
            given = {"file": self.model.newest[self.random.choice(PATHS)]}
            asked = request(APPLY, by=self.person(*ASKERS), environment=where, parameters=given)
        self.model.asked[asked.pk] = self.model.ways.get(where.slug, "")

    def edit(self, path: str = "") -> None:
        path, text = path or self.random.choice(PATHS), self.random.choice([DROPS, DROPS, BUILDS, ADDS])
        data = text + b" -- %d" % self.random.randrange(10**9)
        self.model.newest[path] = registered(data, path).sha256
        self.model.texts[self.model.newest[path]] = text

    def vote(self) -> None:
        operation, by = self.pick(), self.person(*VOTERS)
        approve(operation, by=by)
        self.model.said[operation.pk].add(by.username)

    def take_back(self) -> None:
        operation, by = self.pick(), self.person(*VOTERS)
        revoke(operation, by=by)
        self.model.said[operation.pk].discard(by.username)

    def insert_vote(self) -> None:
        """SQL: a row that meets every constraint, in the name of somebody who may vote."""
        operation, by = self.pick(), self.person(*VOTERS)
        asked = {"requested_by": operation.requested_by, "content_sha256": operation.content_sha256}
        if not operation.approvals.filter(approved_by=by).exists():
            Approval.objects.create(operation=operation, approved_by=by, decision="approve", **asked)

    def queue_it(self) -> None:
        Operation.objects.filter(pk=self.pick().pk, status="awaiting_approval").update(status="queued")

    def demote(self) -> None:
        person, right = self.person(), self.random.choice(["ask", "vote", "glass", "rules", "places"])
        switch_right(person, right, on=False)
        self.model.rights.discard((person.username, right))

    def promote_by_sql(self) -> None:
        """Also of somebody whom no entry calls an approver: that one's votes never count."""
        person, right = self.person(), self.random.choice(["ask", "vote", "glass"])
        switch_right(person, right, on=True)
        self.model.rights.add((person.username, right))

    def switch(self) -> None:
        """Deactivate, or activate, which sets the clock of an approver back."""
        name = self.person(*ASKERS, *VOTERS).username
        on = name not in self.model.active
        User.objects.filter(username=name).update(is_active=on)
        record(f"signin.user_{'activated' if on else 'deactivated'}", actor="amir", subject=name)
        self.model.active ^= {name}
        if on:
            self.model.counting.discard(name)

    def give_role(self) -> None:
        """Taken and given again, by amir: it counts after a day."""
        name = self.random.choice(VOTERS)
        for code in ("signin.role_taken", "signin.role_given"):
            record(code, actor="amir", subject=name, data={"role": "Approver"})
        self.model.counting.discard(name)

    def vouch(self) -> None:
        name = self.random.choice(VOTERS)
        confirm(User.objects.get(username=name), by=User.objects.get(username="anna"))
        self.model.counting.add(name)

    def waive(self) -> None:
        """Somebody agreed to explain every finding of a newest file away."""
        file = MigrationFile.objects.get(sha256=self.random.choice(sorted(self.model.newest.values())))
        agreed = {"reason": "r", "requested_by": "olga", "approved_by": "ada", "approved_at": timezone.now()}
        for statement in analyse(file.data).statements:
            for finding in statement.findings:
                Waiver.objects.get_or_create(file=file, rule=finding.rule, line=statement.line, defaults=agreed)

    def put_rules_in_force(self) -> None:
        """SQL: a policy by which nothing is destructive."""
        version = RulePolicy.objects.count() + 1
        lowered = {"MD-DROP-COLUMN": "convention", "ML-INDEX": "convention"}
        RulePolicy.objects.create(version=version, created_by="sql", severities=lowered, rows=ANY_ROWS)
        self.model.rows = ANY_ROWS

    def change_votes(self) -> None:
        slug, need = self.random.choice(["production", "staging"]), self.random.choice([1, 2, 3])
        before = Environment.objects.get(slug=slug)
        Environment.objects.filter(slug=slug).update(votes_destructive=need)
        note(before, Environment.objects.get(slug=slug), by="amir")
        self.model.needs[slug] = need

    def lower_by_sql(self) -> None:
        """Past the guard: it counts for nothing."""
        lowered = "protected = false, votes_destructive = 0, revision = revision + 1"
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE operations_environment SET {lowered} WHERE slug = %s",
                [self.random.choice(["production", "staging"])],
            )

    def insert_request(self) -> None:
        """SQL: a request that nobody made, in the name of somebody who could, queued and without votes."""
        row = self.pick()
        steps = list(row.steps.all())
        row.pk, row.approvals_required, row.status, row._state.adding = new_ulid(), 0, "queued", True
        row.break_glass_by = row.break_glass_from = row.break_glass_until = None  # a trigger lets none begin broken
        row.save()
        for step in steps:
            Step.objects.create(operation=row, position=step.position, name=step.name, pool=step.pool)

    def re_point(self) -> None:
        """Another variable, which leads who knows where."""
        slug, variable = self.random.choice(["production", "staging"]), f"OTHER_{self.random.randrange(10**6)}_DSN"
        Environment.objects.filter(slug=slug).update(migration_dsn_env=variable)
        self.model.ways[slug] = variable

    def meet(self) -> None:
        """Somebody connects, and staging turns out to be production's database."""
        Environment.objects.filter(slug="staging").update(**PRODUCT)
        self.model.is_one_database = True

    def break_it(self) -> None:
        operation, by = self.pick(), self.person(*ASKERS, *ADMINS)
        break_glass(operation, by=by, reason="a generated emergency")
        Operation.objects.filter(pk=operation.pk).update(due_at=None)
        self.model.glass[operation.pk] = by.username

    def tick(self) -> None:
        reevaluate()

    def lapse(self) -> None:
        operation, past = self.pick(), timezone.now() - timedelta(hours=1)
        if operation.break_glass_until is not None:
            Operation.objects.filter(pk=operation.pk).update(break_glass_from=past, break_glass_until=past)
            self.model.glass.pop(operation.pk, None)

    def claim(self, operation: Operation | None = None) -> None:
        run_operation((operation or self.pick()).pk, "walk", frozenset(POOLS), end_process=lambda: None)


MOVES = (
    *("ask", "edit", "take_back", "insert_vote", "insert_request", "queue_it", "demote", "promote_by_sql", "switch"),
    *("give_role", "vouch", "waive", "put_rules_in_force", "change_votes", "lower_by_sql", "re_point", "meet"),
    *("break_it", "lapse"),
    *("tick",) * 2,
    *("vote",) * 6,
    *("claim",) * 3,
)
