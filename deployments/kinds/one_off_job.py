"""Purge the edge cache, delete a stale preview, run a one-off job and keep its log."""

from __future__ import annotations

from deployments.kinds.base import SERVICE, ServiceKind, here, name_of
from deployments.models import Service
from deployments.render.at_most_once import LONG_LOOKS, RENDER
from operations.engine.context import StepContext
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers.errors import ProviderError, Refused
from providers.render import Job, Render


def start_job(ctx: StepContext) -> None:
    api, service = here(ctx)
    command = ctx.parameters["command"]
    job = RENDER.made(
        ctx,
        lambda: api.jobs.list(service.render_id),
        lambda: api.jobs.create(service.render_id, command),
        lambda job: job.start_command == command,
        LONG_LOOKS,
    )
    if job is None:
        raise ProviderError(
            "Render was asked once and its answer was lost; it lists no such job so far. It may begin yet: look at the "
            f"jobs of {service.name} in Render before you request it again. {service.dashboard_url}"
        )
    ctx.result(job=job.id)


def watch_job(ctx: StepContext) -> None:
    api, service = here(ctx)
    job_id = str(ctx.operation.result["job"])
    seen: set[str] = set()
    while True:
        job = api.jobs.get(service.render_id, job_id)
        _tail(ctx, api, service, job, seen)
        if job.finished_at or job.status in ("succeeded", "failed", "canceled"):
            break
        ctx.progress(len(seen), None, unit="lines", note=job.status)
        RENDER.pause(ctx)
    ctx.result(job=job_id, status=job.status)
    if job.status != "succeeded":
        raise ProviderError(f"The job ended as {job.status}. Its log is below.")


def _tail(ctx: StepContext, api: Render, service: Service, job: Job, seen: set[str]) -> None:
    for line in api.logs.tail(service.owner_id, [service.render_id], start=job.created_at, type=["job"]):
        if line.id not in seen and (job.id in line.message or not line.message.startswith("[job-")):
            seen.add(line.id)
            ctx.log(line.message)


class RunJob(ServiceKind):
    name, label, permission = "deployments.job", "Run a one-off job", "deployments.configure"
    about = "Runs a command once in the service's newest build and keeps its log."
    risk = Risk.SENSITIVE
    exclusive = "job:{service}"
    subject = "{service}: {command}"
    steps = [step("start", start_job, pool="deploy"), step("watch", watch_job, pool="deploy")]
    parameters = [
        SERVICE,
        Parameter("command", "Command", help="Runs in the service's newest build. Put no secret here."),
    ]

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        if service.type == "static_site":
            raise Refused(f"{service.name} is a static site and runs no jobs. Nothing was requested.")
        return parameters

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        name = name_of(parameters["service"])
        return [Consequence(f"“{parameters['command']}” runs with {name}'s variables, database included.", "bad")]
