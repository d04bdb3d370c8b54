"""sampelit-ops coverage --environment E: what of a database is in our runs, elsewhere, or nowhere."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from backups.management import cli
from backups.policies.outside import Kept
from backups.web import coverage
from operations.dsns import environment_named
from providers.answers import Answer, columns
from providers.errors import ProviderError


class Command(cli.StoreCommand):
    help = "Tables by policy, and everything besides tables. Exit 1 where something is kept nowhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--environment", required=True)

    def answer(self, options: dict[str, Any]) -> Answer:
        environment = environment_named(options["environment"])
        sizes, problem = coverage.sizes_of(environment)
        if problem:
            raise ProviderError(problem)
        tables = coverage.covered(environment, sizes, coverage.newest_proofs(environment))
        outside = coverage.kept_outside(environment)
        bare = [line for line in tables if not line.policies]
        lines = [{"table": line.table, "policies": line.policies, "bytes": line.size_bytes} for line in tables]
        return Answer(
            {"tables": lines, "outside": [asdict(one) for one in outside]},
            _lines(tables, outside),
            code=1 if bare or any(one.tone == "bad" for one in outside) else 0,
            follow="a policy copies what is kept nowhere: Backups → Policies."
            if bare
            else "nothing; all of it is kept.",
        )


def _lines(tables: list[coverage.Covered], outside: list[Kept]) -> list[str]:
    rows = [(f"in {', '.join(line.policies)}" if line.policies else "nowhere", line.table) for line in tables]
    rows += [(one.where, f"{one.topic} ({one.count}): {one.sentence}") for one in outside if one.count]
    return columns(rows)
