"""Kinds that rehearse every path of the engine (tests and DEMO=1 only): routine, sensitive, destructive, urgent.

Each waits a while in small moves, can be told to fail, may write one guarded row to the product database, and has an
always-step that undoes its first one.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from django.conf import settings

from operations.dsns import migration_dsn
from operations.engine import kinds, specs
from operations.engine.context import StepContext
from operations.models import Environment, Risk
from providers.errors import ProviderError, Refused
from providers.postgres.locked_session import guarded_session

FAILURES = ("", "refuse", "crash", "exit", "retryable", "always", "stall")


class Rehearsal(kinds.OperationKind):
    about = "Goes through all steps of an operation; nothing outside changes."
    permission = "operations.run_rehearsal"
    exclusive = "rehearsal:{environment}:{key}"
    subject = "{key}"
    parameters = [
        specs.Parameter("key", "Key", help="Two rehearsals with the same key never run at once."),
        specs.Parameter("seconds", "Seconds", required=False, help="How long the work lasts."),
        specs.Parameter("fail", "Failure", required=False, help=", ".join(FAILURES[1:])),
        specs.Parameter("mark", "Mark", required=False, help="A temporary file that gets one line per effect."),
        specs.Parameter("write", "Write", required=False, help="yes: one guarded row in the product database."),
    ]

    def __init__(self, risk: Risk, pool: str = "export") -> None:
        self.risk = risk
        self.name = f"rehearsal.{'urgent' if pool == 'urgent' else risk.value}"
        self.label = f"Rehearse {'an urgent' if pool == 'urgent' else f'a {risk.value}'} operation"
        self.steps = [
            specs.step("prepare", prepare, pool=pool),
            specs.step("work", work, pool=pool, stall=30),
            specs.step("tidy", tidy, pool=pool, always=True, undoes="prepare"),
        ]

    def clean(self, environment: Environment, parameters: specs.Parameters) -> specs.Parameters:
        if parameters.get("fail", "") not in FAILURES:
            raise Refused(f"fail is one of {', '.join(FAILURES[1:])}. Nothing was requested.")
        try:
            float(parameters.get("seconds", 0))
        except ValueError:
            raise Refused("seconds must be a number. Nothing was requested.") from None
        mark = str(parameters.get("mark", ""))
        if mark and not Path(mark).resolve().is_relative_to(tempfile.gettempdir()):
            raise Refused(f"mark must be a file below {tempfile.gettempdir()}. Nothing was requested.")
        if parameters.get("write"):
            migration_dsn(environment)
        return parameters

    def consequences(self, environment: Environment, parameters: specs.Parameters) -> list[specs.Consequence]:
        return [
            specs.Consequence(
                f"A worker is busy for {parameters.get('seconds', 0)} s; nothing outside changes.", "idle"
            ),
            specs.Consequence("The last step runs whatever happens to the others.", "ok"),
        ]


def prepare(context: StepContext) -> None:
    _mark(context, "prepare")
    context.log("prepared")


def work(context: StepContext) -> None:
    """Move in tenths of a second, then fail as told; `state` remembers how far an earlier attempt came."""
    total = max(1, int(float(context.parameters.get("seconds", 0)) * 10))
    done = int(context.state.get("done", 0))
    while done < total:
        time.sleep(0.1 if total > 1 else 0)
        done += 1
        context.state["done"] = done
        if done % 10 == 0:
            context.save_state()
        context.progress(done, total, unit="moves")
    _fail(context, str(context.parameters.get("fail", "")))
    if context.parameters.get("write"):
        _write_once(context)
    _mark(context, "work")
    context.result(moves=done)


def tidy(context: StepContext) -> None:
    if context.parameters.get("fail") == "always" and context.attempt <= 4:
        raise ProviderError("The rehearsed always-step fails four times; it is tried again.", retryable=True)
    _mark(context, "tidy")
    context.log("tidied")


def _fail(context: StepContext, how: str) -> None:
    if how == "refuse":
        raise Refused("The rehearsal was told to refuse; nothing was changed. Ask again without `fail`.")
    if how == "crash":
        raise RuntimeError("the rehearsal was told to crash")
    if how == "exit":
        os._exit(1)
    if how == "retryable" and context.attempt < 3:
        raise ProviderError("The rehearsal fails twice and then works.", retryable=True)
    if how == "stall":
        while True:
            time.sleep(0.05)


def _write_once(context: StepContext) -> None:
    """One row per operation, whoever is killed or paused when: the lock, the key and the lease all have to agree."""
    dsn = migration_dsn(context.environment)
    lease = settings.OPS_LEASE_SECONDS
    key = f"rehearsal:{context.operation.pk}"
    with guarded_session(dsn, key, lease_seconds=lease, wait_seconds=lease * 2, check=context.check) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS public.ops_rehearsal (operation text PRIMARY KEY, fence int)")
        with connection.transaction():
            connection.execute(
                "INSERT INTO public.ops_rehearsal VALUES (%s, %s) ON CONFLICT DO NOTHING",
                [context.operation.pk, context.fence],
            )
            context.check()


def _mark(context: StepContext, what: str) -> None:
    path = str(context.parameters.get("mark", ""))
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{what} {context.operation.pk} {context.fence}\n")


def register() -> None:
    for risk in Risk:
        kinds.register(Rehearsal(risk))
    kinds.register(Rehearsal(Risk.ROUTINE, pool="urgent"))
