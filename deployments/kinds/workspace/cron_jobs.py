"""Run a cron job now, outside of its schedule, and cancel the run that is under way.

Render lists no runs; a run is found by the events of its beginning and its end.
"""

from __future__ import annotations

from collections.abc import Iterable

from deployments.kinds.base import ServiceKind, here, name_of
from deployments.models import Service, named
from deployments.render.at_most_once import LONG_LOOKS, RENDER
from operations.engine.context import StepContext
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers.errors import ProviderError, Refused
from providers.render.records import CronRun

UNTIL_DEADLINE = 100_000  # looks; the step's own deadline ends them


def jobs_here(environment: Environment) -> Iterable[tuple[str, str]]:
    rows = Service.objects.filter(environment=environment, removed_at=None, type="cron_job").order_by("name")
    return [(service.render_id, service.name) for service in rows]


def start(ctx: StepContext) -> None:
    api, service = here(ctx)
    job = service.render_id
    run = RENDER.made(ctx, lambda: api.cron_runs.begun(job), lambda: api.cron_runs.start(job), looks=LONG_LOOKS)
    if run is None:
        raise ProviderError(
            f"Render was asked once at {ctx.state['asked_at']} and shows no run of {service.name} so far. Look at its "
            f"page before you request it again: {service.dashboard_url}"
        )
    ctx.result(run=run.id)


def watch(ctx: StepContext) -> None:
    api, service = here(ctx)
    wanted = str(ctx.operation.result["run"])

    def ended() -> CronRun | None:
        return next((run for run in api.cron_runs.ended(service.render_id) if run.id == wanted), None)

    run = RENDER.until(ctx, ended, UNTIL_DEADLINE)
    status = run.status if run else "still running"
    ctx.result(run=wanted, status=status)
    if status != "successful":
        raise ProviderError(f"The run of {service.name} ended as {status}. Read its log at Render.")


def cancel(ctx: StepContext) -> None:
    api, job = here(ctx)[0], ctx.parameters["service"]
    run = RENDER.made(ctx, lambda: api.cron_runs.ended(job), lambda: api.cron_runs.cancel(job))
    if run is None:
        raise ProviderError(
            f"Render was asked once and shows no end of a run of {name_of(job)}. Look at its dashboard."
        )
    ctx.result(run=run.id, status=run.status)


class CronKind(ServiceKind):
    permission = "deployments.configure"
    parameters = [Parameter("service", "Cron job", choices=jobs_here, named=named.service)]

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        if service.type != "cron_job":
            raise Refused(f"{service.name} is no cron job. Nothing was requested.")
        return parameters


class RunCron(CronKind):
    name, label = "deployments.run_cron", "Run a cron job now"
    about = "Starts a cron job at once, outside of its schedule, and watches its run."
    risk = Risk.SENSITIVE
    exclusive = "job:{service}"
    steps = [step("start", start, pool="deploy"), step("watch", watch, pool="deploy", deadline=12 * 3600)]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        name = name_of(parameters["service"])
        return [
            Consequence(f"{name} runs now, with its own command and variables.", "warn"),
            Consequence("A run that is under way is cancelled by Render.", "warn"),
        ]


class CancelCron(CronKind):
    name, label = "deployments.cancel_cron", "Cancel a cron job's run"
    about = "Ends the run of a cron job that is under way."
    risk, restores_service = Risk.ROUTINE, True
    exclusive = "cancel:{service}"
    steps = [step("cancel", cancel, pool="urgent")]

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [Consequence(f"The run of {name_of(parameters['service'])} that is under way ends where it is.", "bad")]
