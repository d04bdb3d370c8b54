"""Where a service comes from: autodeploy, repository and branch, and the path that Render's health check asks."""

from __future__ import annotations

import re

from deployments.kinds.base import SERVICE, WEB_SERVICE, ServiceKind, set_here
from deployments.models import Service
from deployments.render.service_rows import close_reminders
from operations.engine.context import StepContext
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers.errors import Refused
from providers.render import Service as Seen
from providers.render import Services

STATES = [("on", "On, at every push"), ("off", "Off"), ("checks", "On, after the checks pass")]


def autodeploy(ctx: StepContext) -> None:
    """`on` and `off` are the old string field, `checks` is the newer trigger."""
    state = ctx.parameters["state"]

    def wanted(seen: Seen) -> bool:
        if state == "checks":
            return seen.auto_deploy_trigger == "checksPass"
        return seen.auto_deploy is (state == "on") and seen.auto_deploy_trigger != "checksPass"

    def write(services: Services, render_id: str) -> object:
        if state == "checks":
            return services.set_autodeploy_trigger(render_id, "checksPass")
        return services.set_autodeploy(render_id, state == "on")

    service = set_here(ctx, wanted, write, f"autodeploy {state}", autodeploy=state)
    if state != "off":
        _close_tasks(ctx, service)


def _close_tasks(ctx: StepContext, service: Service) -> None:
    """The reminder of a rollback is done."""
    close_reminders(service, closed_by=ctx.operation.requested_by, resolution=f"operation {ctx.operation.pk}")


class Autodeploy(ServiceKind):
    name, label, permission = "deployments.autodeploy", "Autodeploy", "deployments.deploy"
    about = "Switches Render's deploy at every push on or off for a service."
    risk = Risk.ROUTINE
    steps = [step("autodeploy", autodeploy, pool="deploy")]
    parameters = [SERVICE, Parameter("state", "Autodeploy", choices=lambda _: STATES)]
    subject = "{service} {state}"

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        if parameters["state"] not in dict(STATES):
            raise Refused("state is on, off or checks. Nothing was requested.")
        if service.environment and service.environment.frozen() and parameters["state"] != "off":
            raise Refused(f"{service.environment} is frozen; autodeploy stays off until then. Nothing was requested.")
        return parameters

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        service = Service.objects.get(render_id=parameters["service"])
        if parameters["state"] == "off":
            return [Consequence(f"A push to {service.branch} no longer deploys {service.name}.")]
        return [
            Consequence(f"The next push to {service.branch} deploys {service.name} without anybody's approval.", "warn")
        ]


def source(ctx: StepContext) -> None:
    repo, branch = ctx.parameters.get("repo"), ctx.parameters.get("branch")

    def wanted(seen: Seen) -> bool:
        return (not repo or seen.repo == repo) and (not branch or seen.branch == branch)

    def write(services: Services, render_id: str) -> object:
        return services.set_source(render_id, repo=repo, branch=branch)

    service = set_here(ctx, wanted, write, "the new source")
    ctx.result(repo=repo or service.repo, branch=branch or service.branch)


class Source(ServiceKind):
    name, label, permission = "deployments.source", "Change repository or branch", "deployments.deploy"
    about = "Lets a service be built from another repository or branch."
    risk, allowed_in_freeze = Risk.SENSITIVE, False
    steps = [step("source", source, pool="deploy")]
    parameters = [
        SERVICE,
        Parameter("branch", "Branch", required=False),
        Parameter(
            "repo", "Repository", required=False, help="https address; Render must be authorised for it on GitHub."
        ),
    ]

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        repo, branch = str(parameters.get("repo", "")), str(parameters.get("branch", ""))
        if not repo and not branch:
            raise Refused("Give a branch, a repository or both. Nothing was requested.")
        if repo and not re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+", repo):
            raise Refused("The repository is https://host/owner/name. Nothing was requested.")
        if branch and not re.fullmatch(r"[\w][\w./-]{0,199}", branch):
            raise Refused("That is no branch name. Nothing was requested.")
        if repo in ("", service.repo) and branch in ("", service.branch):
            raise Refused(f"{service.name} is built from that already. Nothing was requested.")
        return parameters

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        service = Service.objects.get(render_id=parameters["service"])
        now = f"{service.repo} {service.branch}"
        new = f"{parameters.get('repo', service.repo)} {parameters.get('branch', service.branch)}"
        there = f": {service.dashboard_url}/settings" if service.dashboard_url else "."
        return [
            Consequence(f"{service.name} is built from {new} instead of {now}, from the next deploy on.", "warn"),
            Consequence(f"If Render may not read the repository, authorise it in the service's settings{there}"),
        ]


def health_path(ctx: StepContext) -> None:
    path = ctx.parameters["path"]
    set_here(
        ctx,
        lambda seen: seen.health_check_path == path,
        lambda services, render_id: services.set_health_check_path(render_id, path),
        "the health path",
        path=path,
    )


class HealthPath(ServiceKind):
    name, label, permission = "deployments.health_path", "Set the health check path", "deployments.deploy"
    about = "Changes the address that Render asks to learn whether a service is well."
    risk = Risk.SENSITIVE
    steps = [step("health_path", health_path, pool="deploy")]
    parameters = [WEB_SERVICE, Parameter("path", "Path", help="For Sampelit: /health")]

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        if not re.fullmatch(r"/[\w./~-]{0,199}", str(parameters["path"])):
            raise Refused("The path begins with / and holds letters, digits, . _ ~ - and /. Nothing was requested.")
        return parameters

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        path = parameters["path"]
        return [Consequence(f"Render switches to a new deploy only when {path} answers 2xx or 3xx.", "warn")]
