"""The journal of one attempt, in Application: which steps of the file were begun and ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from typing import Any, ClassVar

from django.db import transaction

from migrations_registry.analysis import analyse
from migrations_registry.analysis.data_loss import Destroyed, destroyed
from migrations_registry.analysis.model import Analysis
from migrations_registry.analysis.parsing.parser import parse
from migrations_registry.analysis.plan import Plan
from migrations_registry.apply.measured import Account
from migrations_registry.drift import detect as drift_detect
from migrations_registry.effects import declared
from migrations_registry.effects.listing import taken_along
from migrations_registry.effects.live import Live
from migrations_registry.fingerprint import Fingerprint
from migrations_registry.models import Application, MigrationFile
from migrations_registry.models.applied import BACKFILL
from migrations_registry.services.planning import Review
from operations.engine.claim import lock
from operations.engine.context import StepContext
from operations.models import Risk
from providers.errors import Refused
from providers.postgres import Facts
from providers.postgres.connection import Connection
from providers.postgres.migrate import session as migrate_session

PENDING, STARTED, DONE = "pending", "started", "done"
CONTINUED = ("status", "xid", "before", "marks", "xids", "effects", "seconds")


@dataclass
class Attempt:
    """One application, its file and the lease under which its journal is written.

    A rehearsal overrides some. `asked_at`: since when a statement may wait for a lock; `other`: a session that looks on
    """

    is_rehearsal: ClassVar[bool] = False

    ctx: StepContext
    row: Application
    server: Facts | None = None
    asked_at: float = 0
    other: Connection | None = None

    @property
    def risk(self) -> str:
        """As people voted on it."""
        return self.ctx.risk

    @property
    def other_session(self) -> Connection:
        assert self.other is not None  # noqa: S101 - the step opened both
        return self.other

    @property
    def file(self) -> MigrationFile:
        return self.row.file

    @property
    def tables(self) -> list[str]:
        """Relations that exist and are touched, as schema.name."""
        return sorted({name for step in self.row.steps for name in step["tables"]})

    def statements(self, step: dict[str, Any]) -> list[bytes]:
        """The stored bytes of a step's statements."""
        statements = parse(self.file.data)
        return [self.file.data[statements[at].start : statements[at].end] for at in step["statements"]]

    def destroys(self, live: Live, step: dict[str, Any] | None = None) -> Destroyed:
        """What one step destroys, or all steps that are not done yet, with what the target does because of it."""
        steps = [step] if step else [later for later in self.row.steps if later["status"] != DONE]
        wanted = [at for later in steps for at in later["statements"]]
        data, risk = self.file.data, self.risk
        named = destroyed(_unwaived(data), parse(data), wanted)
        along = taken_along(declared(data, wanted, live, voted=risk)) if risk == Risk.DESTRUCTIVE else ()
        everything = named.everything or self.file.takes_values
        return replace(named, tables=tuple(sorted({*named.tables, *along})), everything=everything)

    def schema(self) -> Fingerprint:
        """The target's schema as everybody sees it now."""
        return drift_detect.read(self.row.environment)

    def begin(self) -> None:
        """A transaction is open, or a statement outside of one is next."""

    def run(self, connection: Connection, step: dict[str, Any], statement: bytes) -> int:
        """One statement of a step, as it stands; how many rows it says that it touched."""
        return migrate_session.run(connection, statement)

    def judge(self, step: dict[str, Any], account: Account) -> None:
        """Before COMMIT, what was measured. Raises MoreThanApproved, upon which the caller rolls back."""
        if account.refusal:
            raise account.refusal
        self.note(step, effects=account.journal())

    def note(self, step: dict[str, Any], **values: Any) -> None:
        """Write something about a step down at once, under the lease."""
        step.update(values)
        self.save("steps")

    def save(self, *fields: str) -> None:
        with transaction.atomic():
            lock(self.ctx.lease)
            self.row.save(update_fields=list(fields))


@lru_cache(maxsize=1)  # every step of a file asks, often in one process
def _unwaived(data: bytes) -> Analysis:
    """What the file does by the rules alone: no waiver and no policy makes a loss smaller."""
    return analyse(data, as_runner=True)


def load(ctx: StepContext) -> Attempt:
    """The attempt that preflight opened."""
    rows = Application.objects.select_related("file", "environment")
    return Attempt(ctx, rows.get(operation=ctx.key))


@dataclass(frozen=True)
class Requirements:
    """What the plan needs before it runs, with the reason; empty where it is not needed. `keep`: as was chosen."""

    maintenance: str
    restore_point: str
    keep: str = ""


def require(ctx: StepContext, needs: Requirements) -> None:
    """Preflight's result, for the steps after it."""
    ctx.state.update(asdict(needs))
    ctx.save_state()


def required(ctx: StepContext) -> Requirements:
    """Preflight's result; nothing, where preflight came to none."""
    journaled = ctx.state_of("preflight")
    return Requirements(**{field.name: str(journaled.get(field.name, "")) for field in fields(Requirements)})


def journal(plan: Plan) -> list[dict[str, Any]]:
    """The plan's steps, of which nothing is begun."""
    return [
        {
            "number": planned.number,
            "transactional": planned.transactional,
            "statements": list(planned.statements),
            "title": planned.title,
            "tables": sorted({".".join(touched.name) for touched in planned.objects if not touched.is_new}),
            "status": PENDING,
            "xid": "",
            "attempts": 0,
        }
        for planned in plan.steps
    ]


def open_attempt(ctx: StepContext, review: Review) -> Attempt:
    """The attempt's row with the plan's steps; what an earlier, partly done one finished stays finished."""
    earlier = Application.objects.filter(file=review.file, environment=ctx.environment, status="partly").first()
    steps = _resumed(journal(review.plan), earlier, in_batches=ctx.operation.kind == BACKFILL)
    Application.objects.get_or_create(
        operation=ctx.key,
        defaults={
            "file": review.file,
            "environment": ctx.environment,
            "steps": steps,
            "asked_in": ctx.operation.pk if ctx.part else "",
            "schema_before": earlier.schema_before if earlier else drift_detect.trusted(ctx.environment),
        },
    )
    return load(ctx)


def _resumed(steps: list[dict[str, Any]], earlier: Application | None, *, in_batches: bool) -> list[dict[str, Any]]:
    """The earlier attempt's finished steps, if they are these steps still; what it only began is looked at again."""
    if earlier is None:
        return steps
    if in_batches != any("marks" in step for step in earlier.steps):
        raise Refused(f"{earlier.file.name} is partly applied. Nothing was changed; request migrations.backfill of it.")
    shape = [(step["transactional"], step["statements"]) for step in steps]
    if shape != [(step["transactional"], step["statements"]) for step in earlier.steps]:
        raise Refused(
            f"{earlier.file.name} is partly applied in other steps than the present rules cut it into. Nothing was "
            "changed. Finish it by a new file that brings the schema to where it should be, and baseline the stream."
        )
    return [_continued(new, old) for new, old in zip(steps, earlier.steps, strict=True)]


def _continued(new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """Of what was begun and has no end, the transaction, the catalogue or the marks are asked first."""
    if old["status"] == DONE:
        return old
    return {**new, **{name: old[name] for name in CONTINUED if name in old}}
