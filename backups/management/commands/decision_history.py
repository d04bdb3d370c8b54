"""`sampelit-ops decision_history EXPERIMENT NUMBER [--environment E] [--timeout S] [--json]`: a decision in every run.

Asks a worker of pool prove (only that one decrypts) and waits. Exit code 1 where a run shows it edited or removed.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from backups.evidence.decision_history import with_differences
from operations import cli
from operations.cli import wait_for_end
from operations.dsns import environment_named
from operations.engine import kinds
from operations.engine.request import request
from operations.models import Operation
from providers.answers import Answer, AnsweringCommand, columns

KIND = "backups.trace_decision"


class Command(AnsweringCommand):
    help = "Shows what every kept run holds of one decision: its hash, whether it still gives it, its conversion."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("experiment")
        parser.add_argument("number", help="the sequence number in the experiment's chain")
        parser.add_argument("--environment", default="production")
        parser.add_argument("--timeout", type=float, default=900, help="seconds to wait for the worker")
        parser.add_argument("--reason", default="")
        parser.add_argument("--as", dest="actor", metavar="USER", help="the demo only; otherwise OPS_TOKEN")

    def answer(self, options: dict[str, Any]) -> Answer:
        done = wait_for_end(_ask(options).pk, options["timeout"], stop_at_approval=True)
        if done is None or done.status != "succeeded":
            problem = done.error or done.status if done else "no worker of pool prove answered in time"
            raise CommandError(f"Nothing was traced: {problem}.")
        history = with_differences(done.result["history"])
        bad = any(sighting["what"][1] == "bad" for sighting in history)
        return Answer(
            history,
            [*columns(map(_row, history)), f"{len(history)} runs looked at."],
            code=1 if bad else 0,
            follow="`sampelit-ops incidents` shows what was altered." if bad else f"`sampelit-ops show {done.pk}`",
        )


def _row(sighting: dict[str, Any]) -> tuple[str, ...]:
    row = sighting["decision"] or {}
    converted = f"{row['conversion_at'][:19]} {row['conversion_value']}" if row.get("converted") else "–"
    digest = str(row.get("decision_hash", ""))[:16] or "–"
    return (sighting["taken_at"][:16], sighting["run"], digest, converted, sighting["what"][0])


def _ask(options: dict[str, Any]) -> Operation:
    environment = environment_named(options["environment"], "nothing was asked")
    by = cli.actor(options, kinds.get(KIND).permission, environment)
    given = {"experiment": options["experiment"], "sequence": options["number"]}
    return request(
        KIND,
        by=by,
        environment=environment,
        parameters=given,
        reason=options["reason"],
        channel="shell",
    )
