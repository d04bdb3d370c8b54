"""Scratch databases: which server they go to, who may look into them, and when they are dropped.

In: an environment or a finished restore. Out: the place in words, `backups.drop_scratch`, and the duty that asks for it
a week after. On the product's own server only where the prove worker has no OPS_RESTORE_SCRATCH_DSN; then it is said.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from psycopg import conninfo, sql

from backups import step_support
from backups.models import Restore, named
from backups.progress import Watch
from backups.restore.session import writing
from operations.accounts import system_user
from operations.dsns import dsn_from, server_dsn
from operations.engine.claim import LeaseLost, lock
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.request import request
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Operation, Risk
from operations.models.operation import TERMINAL
from operations.periodic.clock import database_time
from operations.periodic.isolation import one_by_one
from providers import postgres
from providers.errors import Refused

logger = logging.getLogger("backups.restore")
VARIABLE = "OPS_RESTORE_SCRATCH_DSN"
KEPT = timedelta(days=7)


def dsn(environment: Environment) -> str:
    """The server for scratch databases: one of its own where the worker has one, else the restore role's."""
    if os.environ.get(VARIABLE):
        return dsn_from(VARIABLE, "the server for scratch databases", "written")
    return server_dsn(environment)


def place(environment: Environment, name: str) -> dict[str, Any]:
    """What the page tells of the new database: its server, the role that owns it, how to look into it, until when."""
    own, parts = bool(os.environ.get(VARIABLE)), conninfo.conninfo_to_dict(dsn(environment))
    host, port, role = parts.get("host", ""), parts.get("port", 5432), parts.get("user", "")
    return {
        "server": f"{host}:{port}",
        "beside": "" if own else str(parts.get("dbname", "")),
        "variable": VARIABLE if own else environment.variable("restore"),
        "role": role,
        "psql": f"psql 'host={host} port={port} dbname={name} user={role}'",
        "until": (database_time() + KEPT).isoformat(timespec="minutes"),
    }


def told(environment: Environment) -> list[Consequence]:
    """Before it is asked for. The page cannot see the prove worker's variables, so it names both places."""
    variable, days = environment.variable("restore"), KEPT.days
    return [
        Consequence(
            f"A new database is made: on the server of {VARIABLE} where the prove worker has it, else on the server of "
            f"{variable}, which is {environment}'s own: beside the live database, on its disk and its CPU.",
            "warn",
        ),
        Consequence("No table that exists is touched. Only the role of that variable may connect.", "ok"),
        Consequence(f"It is dropped by itself after {days} days, or earlier by backups.drop_scratch.", "ok"),
    ]


def scratches(environment: Environment) -> Iterable[tuple[str, str]]:
    for restore in living().filter(run__policy__environment=environment):
        yield restore.operation_id, f"{restore.report['database']}, of {restore.started_at:%Y-%m-%d %H:%M}"


def living() -> Any:
    """Restores that have ended and whose scratch database still stands, whole or not."""
    rows = Restore.objects.filter(target="scratch", report__has_key="database").exclude(report__has_key="dropped_at")
    return rows.exclude(status=Restore.Status.RUNNING).select_related("run__policy__environment")


def drop(ctx: StepContext) -> None:
    """Drop it, whoever is connected; a database that is gone already is dropped too."""
    restore = living().filter(operation_id=ctx.parameters["restore"]).first()
    if restore is None:
        return
    name = restore.report["database"]
    _drop(ctx, restore, name)
    ctx.result(database=name)


def make(ctx: StepContext, watch: Watch) -> str:
    """A new database for this restore; what an earlier attempt left of it goes. From now on it is known by name."""
    name = f"scratch_{ctx.operation.pk.lower()}"
    with transaction.atomic():
        lock(ctx.lease)
        Restore.objects.filter(operation=ctx.operation).update(report={"database": name})
    with writing(dsn(ctx.environment), watch) as connection:
        watch.check()
        postgres.fresh_database(connection, name)
    return name


@contextmanager
def whole_or_dropped(ctx: StepContext, name: str) -> Iterator[None]:
    """What did not end is dropped here; where that cannot be, or the worker was killed, by the hourly duty."""
    try:
        yield
    except LeaseLost:
        raise  # whoever has the lease now makes it anew
    except BaseException:
        if name:
            try:
                _drop(ctx, Restore.objects.get(operation=ctx.operation), name)
            except Exception:
                logger.exception("%s is not whole and still stands", name)
        raise


def _drop(ctx: StepContext, restore: Restore, name: str) -> None:
    with writing(dsn(ctx.environment), step_support.held_watch(ctx)) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    report = {**restore.report, "dropped_at": database_time().isoformat(timespec="seconds")}
    Restore.objects.filter(pk=restore.pk).update(report=report)
    ctx.log(f"Dropped the scratch database {name}.")


class DropScratchKind(OperationKind):
    name, label, permission = "backups.drop_scratch", "Drop a scratch database", "backups.request_restore"
    about = "Drops a scratch database before its time is over."
    risk = Risk.ROUTINE
    exclusive = "scratch:{restore}"
    parameters = [Parameter("restore", "Restore", choices=scratches, named=named.restore)]
    steps = [step("drop", drop, pool="prove")]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        wanted = str(parameters.get("restore", ""))
        if wanted not in dict(scratches(environment)):
            raise Refused(f"{environment} has no scratch database of restore {wanted!r}. Nothing was requested.")
        return {"restore": wanted}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        name = dict(scratches(environment))[parameters["restore"]]
        return [
            Consequence(f"{name} is dropped, whoever is connected. The run it came from stays.", "warn"),
        ]

    def describe(self, parameters: Parameters) -> str:
        restore = Restore.objects.filter(operation=parameters["restore"]).first()
        return str(restore.report.get("database", "")) if restore else str(parameters["restore"])


def keep_scratch() -> None:
    """The hourly duty: ask for the end of what is older than a week or not whole, once each."""
    over = Q(ended_at__lt=database_time() - KEPT) | Q(status=Restore.Status.FAILED)
    one_by_one(living().filter(over), _ask_for_its_end)


def _ask_for_its_end(restore: Restore) -> None:
    environment, parameters = restore.run.policy.environment, {"restore": restore.operation_id}
    asked = Operation.objects.filter(kind="backups.drop_scratch", parameters=parameters)
    if asked.exclude(status__in=TERMINAL).exists():
        return
    whole = restore.status == Restore.Status.SUCCEEDED
    try:
        request(
            "backups.drop_scratch",
            by=system_user("backups.request_restore"),
            environment=environment,
            parameters=parameters,
            reason=f"it is older than {KEPT.days} days" if whole else "its restore failed, so it is not whole",
            channel="schedule",
        )
    except Refused as refusal:
        logger.warning("the end of %s was not asked for: %s", restore, refusal.reason)
