"""Random lives of requests under changing rights, and a model beside them that knows nothing of the judge.

In: a seed. Out: what ran and what was wrong with it by the model: who could ask, who could vote, whose vote was really
given, which file destroys. Moves go through the real services; some are what only SQL can do. Lives that begin alike
are one until they part: `grow` plays a trunk, then two different moves from each state, down to leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy

from django.core.exceptions import PermissionDenied
from django.db import transaction

from migrations_registry.kinds.rules import put_in_force
from operations.approvals.voting import reevaluate
from operations.engine.context import StepContext
from operations.kinds.change_environment import change
from operations.models import Operation
from providers.errors import Refused
from tests.migrations_registry.authority_moves import APPLY, CHANGE, DROPS, MOVES, RULES, Moves


class Walk(Moves):
    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.ran, self.lives, self.trouble = [0, 0], 0, list[str]()

    def grow(self, trunk: int, depth: int) -> None:
        """One life's first moves, then every way of two that differ, `depth` times: 2 ** depth interleavings."""
        self.ask()
        for name in self.random.choices(MOVES, k=trunk):
            self.move(name)
        self.branch(depth)

    def branch(self, depth: int) -> None:
        if depth == 0:
            self.end()
            return
        for name in self.two():
            with self.undone():
                self.move(name)
                self.branch(depth - 1)

    def two(self) -> tuple[str, str]:
        first = self.random.choice(MOVES)
        return first, self.random.choice([name for name in MOVES if name != first])

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What happens inside leaves neither a row nor a fact."""
        before = deepcopy(self.model)
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
        self.model = before

    def move(self, name: str) -> None:
        with suppress(Refused, PermissionDenied):
            getattr(self, name)()

    def end(self) -> None:
        """A worker takes whatever is due."""
        self.lives += 1
        reevaluate()
        for operation in Operation.objects.due():
            self.claim(operation)

    def acted(self, context: StepContext) -> None:
        """The step in place of what would be done: is everything there that it needs?"""
        self.trouble.append("the judgement of this test did not end")
        operation, model = context.operation, self.model
        asker, need = operation.requested_by.username, self.needed(operation)
        have, by = model.voters(operation.pk, asker), model.glass.get(operation.pk, "")
        self.ran[min(need, 1)] += 1
        found = list(self.wrong(operation, asker))
        if len(have) < need and not (by and model.may(by, "glass")):
            found.append(f"{operation.kind} of {asker}: votes of {sorted(have)}, {need} needed, glass: {by}")
        if operation.kind == RULES:
            put_in_force(context)
            model.rows = int(operation.parameters["rows"])
        if operation.kind == CHANGE:
            change(context)
            model.needs[operation.environment.slug] = int(operation.parameters["votes_destructive"])
        self.trouble[-1:] = found

    def wrong(self, operation: Operation, asker: str) -> Iterator[str]:
        """Whatever does not hold, besides votes."""
        model = self.model
        if operation.pk not in model.asked:
            yield f"nobody asked for {operation}"
        if not model.may(asker, {RULES: "rules", CHANGE: "places"}.get(operation.kind, "ask")):
            yield f"{asker} could not ask any more"
        if operation.kind != APPLY:
            return
        if operation.parameters["file"] not in model.newest.values():
            yield "not the newest bytes"
        if model.asked.get(operation.pk) != model.ways.get(operation.environment.slug, ""):
            yield f"{operation.environment} led to {model.asked.get(operation.pk)} when it was asked"

    def needed(self, operation: Operation) -> int:
        """The votes that its effects need: a lost column is destructive, and so is whatever makes one less so."""
        slug, given = operation.environment.slug, operation.parameters
        if operation.kind == RULES:
            return self.model.need(*self.model.needs) if int(given["rows"]) > self.model.rows else 0
        if operation.kind == CHANGE:
            return self.model.need(slug) if int(given["votes_destructive"]) < self.model.needs[slug] else 0
        return self.model.need(slug) if self.model.texts[given["file"]] is DROPS else 0
