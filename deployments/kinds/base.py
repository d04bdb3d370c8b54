"""What every verb on a service shares: its parameter, finding the row, the rule about the portal itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db.models import QuerySet

from deployments.models import Deployment, Service, VariableGroup, named
from deployments.render.at_most_once import ensure
from deployments.render.client import render
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Parameter, Parameters
from operations.models import Environment
from providers.errors import Refused
from providers.render import Render, Services
from providers.render import Service as Seen

Row = TypeVar("Row", Service, VariableGroup)


def services_here(environment: Environment) -> Iterable[tuple[str, str]]:
    services = Service.objects.filter(environment=environment, removed_at=None).order_by("-type", "name")
    return [(service.render_id, service.name) for service in services]


def _of_type(kind: str) -> Callable[[Environment], Iterable[tuple[str, str]]]:
    def here(environment: Environment) -> Iterable[tuple[str, str]]:
        rows = Service.objects.filter(environment=environment, removed_at=None, type=kind).order_by("name")
        return [(service.render_id, service.name) for service in rows]

    return here


SERVICE = Parameter("service", "Service", choices=services_here, named=named.service)
WEB_SERVICE = Parameter("service", "Service", choices=_of_type("web_service"), named=named.service)
STATIC_SITE = Parameter("service", "Static site", choices=_of_type("static_site"), named=named.service)


def find_service(environment: Environment, named: str) -> Service:
    """The service of this environment by Render's id, or by a name that one of them has. Raises Refused."""
    return _one(Service.objects.filter(environment=environment), named, f"{environment} has no service {named!r}")


def service_of(named: str) -> Service:
    """A service of any environment by Render's id, or by a name that one of them has. Raises Refused."""
    return _one(Service.objects.all(), named, f"There is no service {named!r}")


def _one(rows: QuerySet[Service], named: str, otherwise: str) -> Service:
    rows = rows.select_related("environment")
    return the_one(rows, named, otherwise, "none; run sampelit-ops sync_deployments")


def the_one(rows: QuerySet[Row], named: str, otherwise: str, none: str) -> Row:
    """The row that is not removed and has this id at Render, or a name that no other has. What is an id names nothing
    but what has it, although that is gone or elsewhere. Raises Refused."""
    is_id, rows = rows.model._default_manager.filter(render_id=named).exists(), rows.filter(removed_at=None)
    found = list(rows.filter(render_id=named) if is_id else rows.filter(name=named)[:2])
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(rows.filter(name=named).values_list("render_id", flat=True)[:5])
        raise Refused(f"Several are called {named!r}. Nothing was requested; say which by its id: {ids}.")
    known = ", ".join(rows.values_list("name", flat=True)) or none
    raise Refused(f"{otherwise}. Nothing was requested. Known: {known}.")


def not_the_portal(environment: Environment, parameters: Parameters) -> None:
    """Asked again when it begins: that a service runs this portal may be found out while votes are awaited."""
    of_group = {"groups__render_id": parameters.get("group")}
    reached = {"render_id": parameters["service"]} if "service" in parameters else of_group
    if service := Service.objects.filter(**reached, is_self=True, removed_at=None).first():
        raise Refused(
            f"{service.name} runs this portal, which does not act on itself. Nothing was changed. "
            "Do it in Render's dashboard."
        )


def name_of(render_id: str) -> str:
    return Service.objects.filter(render_id=render_id).values_list("name", flat=True).first() or render_id


class ServiceKind(OperationKind):
    """A verb on one service; none is for a service that runs this portal: code or settings there reach its keys."""

    exclusive = "service:{service}"
    subject = "{service}"
    parameters = [SERVICE]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        service = find_service(environment, str(parameters["service"]))
        if service.is_self:
            raise Refused(
                f"{service.name} runs this portal, which does not act on itself: {self.label.lower()} could take it "
                "away from everybody, or hand its keys out. Nothing was requested. Do it in Render's dashboard."
            )
        return self.clean_for(service, {**parameters, "service": service.render_id})

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        """The other parameters, checked against this service; raise Refused."""
        return parameters

    def describe(self, parameters: Parameters) -> str:
        return super().describe({**parameters, "service": name_of(parameters["service"])})


def here(ctx: StepContext) -> tuple[Render, Service]:
    """The client and the row of the step's service. Raises Refused without a key, or where the service is gone."""
    return render(), find_service(ctx.environment, ctx.parameters["service"])


def set_here(
    ctx: StepContext,
    wanted: Callable[[Seen], bool],
    write: Callable[[Services, str], object],
    what: str,
    **result: object,
) -> Service:
    """Bring a setting of the step's service to the wanted state (see `ensure`) and note the result; its row."""
    api, service = here(ctx)
    ensure(ctx, api, service, wanted, lambda: write(api.services, service.render_id), what)
    ctx.result(service=service.name, **result)
    return service


def deployment_of(service: Service, render_id: str) -> Deployment:
    """A deployment of this service by Render's id, or by the beginning of its commit. Raises Refused."""
    rows = service.deployments.all()
    row = rows.filter(render_id=render_id).first()
    if row is None and len(render_id) >= 7:
        meant = rows.filter(commit_sha__startswith=render_id, status__in=["live", "deactivated"])
        if len(commits := set(meant.order_by().values_list("commit_sha", flat=True)[:1000])) > 1:
            raise Refused(f"{', '.join(sorted(commits)[:5])} all begin with {render_id}. Nothing was requested.")
        row = meant.first()
    if row is None:
        raise Refused(f"{service.name} has no deployment {render_id!r}. Nothing was requested; see its list.")
    return row
