"""The guard of one step: what it may do is known before it begins, what it did is read before COMMIT, or right after.

In: an attempt, its two sessions, a step. Out: the journal says what was done; MoreThanApproved ends the step, and the
ledger and an alarm tell it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction

from ledger.services import record
from migrations_registry.analysis.risk import DEFAULT_POLICY
from migrations_registry.apply.attempt import Attempt
from migrations_registry.apply.measured import Account, Approved, MoreThanApproved, NotVotedOn, account_of
from migrations_registry.effects import Allowance, DeclaredEffects, Effect, beyond, declared
from migrations_registry.effects.model import ALTERED, CREATED, DROPPED, INSERTED, REWRITTEN
from migrations_registry.effects.wording import phrases
from migrations_registry.fingerprint import Fingerprint
from migrations_registry.fingerprint import compare as compare_schemas
from migrations_registry.fingerprint.compare import Change as SchemaChange
from migrations_registry.models import MigrationFile
from migrations_registry.services import row_counts
from migrations_registry.services.live_facts import live_of
from migrations_registry.services.planning import policy_in_force
from migrations_registry.services.rehearsals import measured_in_rehearsal
from operations import notify
from operations.engine.claim import lock
from operations.models import Risk
from operations.navigation import page_of
from providers.postgres.batches import marks
from providers.postgres.connection import Connection
from providers.postgres.migrate.effects import Start, start
from providers.postgres.migrate.target_behaviour import behaviour, held, role_states

HISTORY_ROW = -2  # the place, among the file's statements, of the one row that the runner itself adds
_HISTORY = Allowance(frozenset({INSERTED}), ("supabase_migrations", "schema_migrations"), statement=HISTORY_ROW)
HISTORY = DeclaredEffects((_HISTORY,))
MARK_ROW = -3  # likewise the mark of a transaction that is not the last of its file
KEPT_ROWS = -4  # and the old rows that a batch puts aside
MARK = DeclaredEffects((Allowance(frozenset({INSERTED}), marks.NAME, statement=MARK_ROW),))
TOLD = 20


@dataclass(frozen=True)
class Guard:
    """One transaction of a step: where its counters began, what was approved, how many rows each statement touched."""

    begun: Start
    approved: Approved
    tags: dict[int, int] = field(default_factory=dict)

    def keeps(self, name: tuple[str, str], rows: int) -> Guard:
        """The same, where the runner itself also puts so many old rows aside."""
        aside = DeclaredEffects((Allowance(frozenset({INSERTED}), name, statement=KEPT_ROWS),))
        approved = self.approved
        approved = replace(approved, declares=approved.declares | aside, with_votes=approved.with_votes | aside)
        return Guard(self.begun, approved, {**self.tags, KEPT_ROWS: rows})


def begin(attempt: Attempt, connection: Connection, step: dict[str, Any], *, last: bool, marked: bool) -> Guard:
    """Right after BEGIN. The other session looks, because the transaction's own would leave traces. `last` writes the
    history row, `marked` a mark."""
    live = live_of(behaviour(attempt.other_session))
    risk, policy = attempt.risk, policy_in_force()
    own, every = (
        declared(attempt.file.data, step["statements"], live, voted=voted)
        | (HISTORY if last else DeclaredEffects())
        | (MARK if marked else DeclaredEffects())
        for voted in (risk, Risk.DESTRUCTIVE)
    )
    measured = measured_in_rehearsal(attempt.ctx.operation, attempt.file, step)
    own, every = own | measured, every | measured
    limits = policy.spec() if policy else DEFAULT_POLICY
    shown = row_counts.shown(attempt.file, attempt.row.environment) or ()
    approved = Approved(own, risk, every, limits, shown)
    tags = {row: 1 for row, written in ((HISTORY_ROW, last), (MARK_ROW, marked)) if written}
    return Guard(start(connection, attempt.other_session), approved, tags)


def check(attempt: Attempt, connection: Connection, step: dict[str, Any], guard: Guard) -> None:
    """Immediately before COMMIT: journal what was done. Raises MoreThanApproved, upon which the caller rolls back."""
    attempt.judge(step, account_of(connection, attempt.other_session, guard.begun, guard.approved, guard.tags))


def ask_before_alone(attempt: Attempt, step: dict[str, Any]) -> None:
    """Nothing takes back what runs outside of a transaction: what its text says is held against the votes before.

    On a copy it runs all the same, and is told (`Attempt.judge`)."""
    risk, policy = attempt.risk, policy_in_force()
    rewrites = [
        Effect(REWRITTEN, "table", each.name, rows=rows, size_bytes=size)
        for each in declared(attempt.file.data, step["statements"]).allowances
        if REWRITTEN in each.verbs
        for rows, size in [held(attempt.other_session, each.name)]
        if size
    ]
    graver = beyond(rewrites, risk, policy.spec() if policy else DEFAULT_POLICY)
    if graver:
        try:
            attempt.judge(step, Account(rewrites, 0, 0, NotVotedOn(graver, 0, ran=False), graver))
        except NotVotedOn as error:
            tell(attempt, step, error)
            raise


@dataclass(frozen=True)
class Before:
    """What was true before a statement outside of a transaction: the schema, and all roles of the server."""

    schema: Fingerprint
    roles: dict[tuple[str, str], str]


def look_before_alone(attempt: Attempt) -> Before:
    return Before(attempt.schema(), role_states(attempt.other_session))


def check_alone(attempt: Attempt, step: dict[str, Any], before: Before) -> None:
    """After a statement outside of a transaction: what else differs, in schema and roles, is told; nothing takes it
    back.
    """
    changes = compare_schemas(before.schema, attempt.schema())
    declares = declared(attempt.file.data, step["statements"])
    names = {".".join(each.name[:2]) for each in declares.allowances if each.name}
    surplus = [_effect(change) for change in changes if not _is_about(change, names)]
    surplus += _changed_roles(before.roles, role_states(attempt.other_session))
    if surplus:
        tell(attempt, step, MoreThanApproved(surplus, rolled_back=False))
        attempt.ctx.log(f"step {step['number']}: {phrases(surplus)[0]}, which the file does not say")
    else:
        attempt.note(step, effects={"did": [str(change) for change in changes], "seconds": 0})


def _changed_roles(before: dict[tuple[str, str], str], now: dict[tuple[str, str], str]) -> list[Effect]:
    """No statement that has to run alone changes a role."""
    return [
        Effect(CREATED, kind, (name,))
        if (kind, name) not in before
        else Effect(DROPPED, kind, (name,))
        if (kind, name) not in now
        else Effect(ALTERED, kind, (name,), frozenset({"attributes"}))
        for kind, name in sorted(before.keys() | now.keys())
        if before.get((kind, name)) != now.get((kind, name))
    ]


def _is_about(change: SchemaChange, names: set[str]) -> bool:
    text = f"{change.name} {change.before} {change.after}".replace('"', "")
    return any(name in text for name in names)


def _effect(change: SchemaChange) -> Effect:
    verb = {"added": CREATED, "removed": DROPPED}.get(change.change, ALTERED)
    return Effect(verb, change.kind, (change.name,), frozenset() if verb != ALTERED else frozenset({"definition"}))


def tell(attempt: Attempt, step: dict[str, Any], error: MoreThanApproved) -> None:
    """An entry of the ledger and an alarm: somebody should look at who wrote that file."""
    surplus, operation = phrases(error.surplus), attempt.ctx.operation
    attempt.note(step, effects={"surplus": surplus[:TOLD], "seconds": round(error.seconds, 3)})
    if attempt.is_rehearsal:
        return
    with transaction.atomic():
        lock(attempt.ctx.lease)
        if isinstance(error, NotVotedOn):
            MigrationFile.objects.filter(pk=attempt.file.pk).update(measured_losses=surplus[:TOLD])
        record(
            "migrations_registry.more_than_approved",
            actor=operation.requested_by.username,
            environment=attempt.row.environment.slug,
            subject=attempt.file.name,
            data={
                "changes": surplus[:TOLD],
                "count": len(surplus),
                "end": "rolled back" if error.rolled_back else "not rolled back, it ran outside of a transaction",
                "sha256": attempt.file.sha256,
                "operation": operation.pk,
            },
        )
        notify.enqueue(
            f"effects:{attempt.ctx.key}:{step['number']}",
            subject=f"{attempt.file.name} did more than was approved on {attempt.row.environment}",
            body=str(error),
            path=page_of(attempt.row),
            urgent=True,
        )
