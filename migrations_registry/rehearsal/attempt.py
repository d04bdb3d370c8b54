"""The runner's attempt, as a rehearsal makes it: on a copy, with an onlooker, without a journal and without a judge.

In: a context, an application that is no row, sessions of the copy. Out: what each statement cost, what each step did.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import psycopg

from migrations_registry.analysis.model import DESTRUCTIVE
from migrations_registry.apply.attempt import Attempt
from migrations_registry.apply.measured import Account, NotVotedOn
from migrations_registry.effects import Effect
from migrations_registry.fingerprint import Fingerprint
from migrations_registry.fingerprint.model import of_rows
from providers.postgres.connection import Connection
from providers.postgres.driver_errors import first_line
from providers.postgres.migrate import session as migrate_session
from providers.postgres.migrate.statement_costs import Onlooker, StatementCost
from providers.postgres.schema.objects import read_objects

# Rights that only a superuser has, features of a server that is built otherwise, files of extensions.
NOT_HERE = frozenset({"42501", "0A000", "58P01", "55000"})


@dataclass(frozen=True)
class Stopped:
    """The statement, by its place in the file, that the server refused."""

    statement: int
    sqlstate: str
    message: str


def key_of(step: dict[str, Any]) -> str:
    """A step by what is in it: other rules may cut a file otherwise."""
    return ",".join(map(str, step["statements"]))


@dataclass
class RehearsedAttempt(Attempt):
    """`costs` by the statement's place in the file, `effects` and `surplus` by the step's statements.

    `voted`: the plan's risk; `graver`: what needs more votes than that.
    """

    is_rehearsal: ClassVar[bool] = True

    voted: str = DESTRUCTIVE
    costs: dict[int, StatementCost] = field(default_factory=dict)
    effects: dict[str, list[Effect]] = field(default_factory=dict)
    surplus: dict[str, list[Effect]] = field(default_factory=dict)
    graver: list[Effect] = field(default_factory=list)
    stopped: Stopped | None = None
    onlooker: Onlooker = field(init=False)
    taken: int = 0

    @property
    def risk(self) -> str:
        return self.voted

    def told(self, what: str) -> dict[str, list[str]]:
        """What statements outside of transactions did (`did`, `surplus`), by step: nothing judges them before."""
        alone = (step for step in self.row.steps if not step["transactional"])
        return {key_of(step): said for step in alone if (said := step.get("effects", {}).get(what))}

    def save(self, *fields: str) -> None:
        """Its journal is the report."""

    def schema(self) -> Fingerprint:
        return of_rows((row.kind, row.name, row.of, row.sql) for row in read_objects(self.other_session))

    def begin(self) -> None:
        self.taken = 0

    def run(self, connection: Connection, step: dict[str, Any], statement: bytes) -> int:
        """Run and look; of an error it is kept what the server said, which the runner tells as a sentence."""
        at = step["statements"][self.taken]
        if self.taken == 0:
            self.onlooker = Onlooker(connection, self.other_session)
            self.onlooker.begin()
        self.taken += 1
        do = partial(migrate_session.run, connection, statement)
        try:
            if step["transactional"]:
                self.costs[at] = self.onlooker.inside(do)
            else:
                tables = [tuple(name.split(".", 1)) for name in step["tables"]]
                self.costs[at] = self.onlooker.alone(do, [(schema, name) for schema, name in tables])
        except psycopg.Error as error:
            self.stopped = Stopped(at, error.sqlstate or "", first_line(error))
            raise
        return self.costs[at].rows

    def judge(self, step: dict[str, Any], account: Account) -> None:
        """Nothing is refused on a copy: what the application would not be allowed is told."""
        key = key_of(step)
        self.effects[key] = account.effects
        if isinstance(account.refusal, NotVotedOn):
            self.graver += account.refusal.surplus
        elif account.refusal:
            self.surplus[key] = account.refusal.surplus
            self.graver += account.graver
        self.note(step, effects=account.journal())
