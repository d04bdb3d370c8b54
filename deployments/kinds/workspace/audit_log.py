"""`deployments.read_audit_log`: who changed what in Render's workspace, by its own log. In: hours. Out: log lines.

Every event is shown in Render's word, also one that nobody knows, and counted by it. Render logs no deploy, rollback,
restart or scale; the portal's timeline does.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import islice

from deployments.models import Service
from deployments.render.client import render
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from operations.periodic.clock import database_time
from providers.errors import Refused
from providers.render.workspace import AuditEntry

HOURS, MOST_HOURS, MOST = 24, 24 * 90, 1000


def owners(environment: Environment) -> list[str]:
    """The workspaces of the environment's services."""
    rows = Service.objects.filter(environment=environment, removed_at=None).exclude(owner_id="")
    return sorted(set(rows.values_list("owner_id", flat=True)))


def read(ctx: StepContext) -> None:
    api, counted = render(), Counter[str]()
    since = database_time() - timedelta(hours=int(ctx.parameters.get("hours") or HOURS))
    for owner in owners(ctx.environment):
        entries = list(islice(api.audit_logs.list(owner, start=since), MOST))
        for entry in entries:
            ctx.log(line(entry))
        if len(entries) == MOST:
            ctx.log(f"{owner} has more than {MOST:,} entries; older ones are not shown. Ask for fewer hours.")
        counted.update(entry.event for entry in entries)
    ctx.result(since=since.isoformat(timespec="seconds"), entries=sum(counted.values()), events=dict(counted))


def line(entry: AuditEntry) -> str:
    about = ", ".join(f"{key}={value}" for key, value in sorted(entry.metadata.items()))
    at = f"{entry.at:%Y-%m-%d %H:%M:%S}" if entry.at else "no time"
    failed = "" if entry.status == "success" else f" [{entry.status}]"
    return f"{at} {entry.actor or 'nobody named'}: {entry.event}{failed} {about}".rstrip()[:500]


class ReadAuditLog(OperationKind):
    name, label, permission = "deployments.read_audit_log", "Read Render's audit log", "deployments.configure"
    about = "Reads in Render's own log who changed settings, variables or members."
    risk = Risk.ROUTINE
    exclusive = "audit_log:{environment}"
    steps = [step("read", read, pool="deploy", deadline=600)]
    parameters = [
        Parameter("hours", "Hours back", required=False, help=f"Empty: the last {HOURS}. At most {MOST_HOURS:,}.")
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        hours = str(parameters.get("hours") or HOURS)
        if not hours.isdecimal() or not 1 <= int(hours) <= MOST_HOURS:
            raise Refused(f"hours is 1 to {MOST_HOURS}. Nothing was requested.")
        if not owners(environment):
            raise Refused(f"{environment} has no service on Render, so no workspace is known. Nothing was requested.")
        return {"hours": hours}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [
            Consequence("Render's log of the workspace is read: who changed settings, variables, members.", "ok"),
            Consequence("It needs Render's Organization plan; deploys, rollbacks, restarts and scaling are not in it."),
        ]

    def describe(self, parameters: Parameters) -> str:
        return f"the last {parameters.get('hours') or HOURS} h"
