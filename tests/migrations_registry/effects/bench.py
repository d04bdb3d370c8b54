"""A transaction under measurement: run a text as an ordinary owner, measure, roll back; what was done comes back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from migrations_registry.analysis.model import DESTRUCTIVE
from migrations_registry.analysis.parsing.parser import Raw, parse
from migrations_registry.apply.measured import Approved, account_of, effect_of
from migrations_registry.effects import DeclaredEffects, Effect, declared, undeclared
from migrations_registry.effects.text.follow import allowances
from migrations_registry.effects.text.names import Scope
from migrations_registry.effects.wording import phrases
from migrations_registry.services.live_facts import live_of
from providers.postgres.connection import Connection, pin
from providers.postgres.migrate.effects import Start, measure, start
from providers.postgres.migrate.session import Limits, as_product_sees_it
from providers.postgres.migrate.target_behaviour import behaviour

NOTHING = DeclaredEffects()


@dataclass
class Bench:
    """Two sessions of one role: the one that applies, and the one that sees what everybody else sees."""

    own: Connection
    other: Connection

    def effects(self, *statements: str) -> list[Effect]:
        """What they did together, before COMMIT, which never comes."""
        with self.transaction() as begun:
            for statement in statements:
                self.own.execute(statement)
            return [effect_of(change) for change in measure(self.own, self.other, begun).changes]

    def judge(self, text: str, risk: str = DESTRUCTIVE) -> list[str]:
        """A whole file, as the runner runs it; what it did, in words. Raises MoreThanApproved."""
        data = text.encode()
        live = live_of(behaviour(self.other))
        own, every = (declared(data, live=live, voted=voted) for voted in (risk, DESTRUCTIVE))
        with self.transaction() as begun:
            as_product_sees_it(self.own, Limits(1000, 60_000), local=True)
            tags = {at: self.own.execute(data[item.start : item.end]).rowcount for at, item in enumerate(parse(data))}
            account = account_of(self.own, self.other, begun, Approved(own, risk, every), tags)
        if account.refusal:
            raise account.refusal
        return phrases(account.effects)

    def commit(self, *statements: str) -> None:
        """The same, and COMMIT right after it was measured."""
        self.own.execute("BEGIN")
        begun = start(self.own, self.other)
        for statement in statements:
            self.own.execute(statement)
        measure(self.own, self.other, begun)
        self.own.execute("COMMIT")

    def surplus(self, *statements: str) -> list[str]:
        """What nobody declared, in words."""
        return phrases(undeclared(self.effects(*statements), NOTHING))

    @contextmanager
    def transaction(self) -> Iterator[Start]:
        self.own.execute("BEGIN")
        try:
            yield start(self.own, self.other)
        finally:
            self.own.execute("ROLLBACK")
            self.own.execute("DISCARD ALL")
            self._restart()
            pin(self.own, read_only=False)

    def _restart(self) -> None:
        """No rollback puts a sequence back."""
        found = self.own.execute("SELECT pg_catalog.to_regclass('public.counter')").fetchone()
        if found != (None,):
            self.own.execute("SELECT pg_catalog.setval('public.counter', 500)")

    def state(self) -> list[tuple[object, ...]]:
        """What the destructive bodies go for."""
        return self.other.execute(
            "SELECT count(*), sum(length(v)), (SELECT count(*) FROM public.children),"
            " (SELECT relacl::text || relrowsecurity FROM pg_class WHERE oid = 'public.keep'::regclass),"
            " (SELECT string_agg(tgenabled::text, '') FROM pg_trigger WHERE tgrelid = 'public.keep'::regclass)"
            " FROM public.keep"
        ).fetchall()


def top_level(text: str) -> DeclaredEffects:
    """What the statements say by themselves: no body is followed, as if the analysis had seen nothing in it."""
    scope = Scope()
    found = [
        one for item in parse(text.encode()) if isinstance(item, Raw) for one in allowances(item.kind, item.node, scope)
    ]
    return DeclaredEffects(tuple(found))


def cases(path: Path) -> dict[str, str]:
    """The texts of a file, each under its heading `-- case: name`."""
    return {
        name.strip(): text
        for name, _, text in (part.partition("\n") for part in path.read_text().split("-- case: ")[1:])
    }
