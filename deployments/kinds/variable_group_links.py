"""Link an environment group to a service, or take the link away: what the service gets or loses is named first.

Requested where the rules are strictest of all whom it reaches. A link is looked up, written once, and read back.
"""

from __future__ import annotations

from collections.abc import Iterable

from deployments.kinds.base import name_of, service_of
from deployments.kinds.variable_groups import check_place, find_group, shown_links, touched
from deployments.models import Service, VariableGroup, named
from deployments.render.at_most_once import RENDER
from deployments.render.client import render
from deployments.variables import fingerprints, parity, portal
from deployments.variables.reach import RISK, places
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment
from providers.errors import Refused
from providers.render import EnvGroup, Render

NAMED = 20


def groups_anywhere(environment: Environment) -> Iterable[tuple[str, str]]:
    return [(group.render_id, group.name) for group in VariableGroup.objects.filter(removed_at=None).order_by("name")]


def services_anywhere(environment: Environment) -> Iterable[tuple[str, str]]:
    rows = Service.objects.filter(removed_at=None).select_related("environment").order_by("name")
    return [(row.render_id, f"{row.name} ({row.environment})") for row in rows]


def checked(ctx: StepContext) -> tuple[Render, EnvGroup, Service]:
    """The group as it is now. Raises Refused where it is linked to others than those that were shown."""
    api, service = render(), service_of(ctx.parameters["service"])
    seen = api.env_groups.get(ctx.parameters["group"])
    if shown_links(seen) - {service.render_id} != _others(find_group(seen.id), service):
        fingerprints.store_group(seen)
        raise Refused(
            f"{seen.name} is no longer linked to the services that were shown. Nothing was changed; request it again."
        )
    return api, seen, service


def _others(group: VariableGroup, service: Service) -> set[str]:
    return {linked.render_id for linked in touched(group)} - {service.render_id}


def _refuse_others_than_shown(seen: EnvGroup) -> None:
    """What it brings was named to the voters; a secret that came since may be one that visitors could read."""
    new = set(fingerprints.prints(seen.variables, seen.files)) - _held(find_group(seen.id))
    if new:
        fingerprints.store_group(seen)
        raise Refused(
            f"{seen.name} holds {_names(new)} now, which was not shown. Nothing was changed; request it again."
        )


def link(ctx: StepContext) -> None:
    api, seen, service = checked(ctx)
    if service.render_id not in seen.services:
        _refuse_others_than_shown(seen)

    def linked() -> EnvGroup | None:
        now = api.env_groups.get(seen.id)
        return now if service.render_id in now.services else None

    otherwise = f"Render does not show {seen.name} on {service.name}. Look at its dashboard."
    now = RENDER.brought_about(ctx, linked, lambda: api.env_groups.link(seen.id, service.render_id), otherwise)
    _done(ctx, service, now)


def unlink(ctx: StepContext) -> None:
    api, seen, service = checked(ctx)

    def gone() -> EnvGroup | None:
        now = api.env_groups.get(seen.id)
        return now if service.render_id not in now.services else None

    otherwise = f"Render still shows {seen.name} on {service.name}. Look at its dashboard."
    now = RENDER.brought_about(ctx, gone, lambda: api.env_groups.unlink(seen.id, service.render_id), otherwise)
    service.groups.remove(find_group(seen.id))
    _done(ctx, service, now)


def _done(ctx: StepContext, service: Service, now: EnvGroup) -> None:
    row = fingerprints.store_group(now)
    ctx.result(group=row.name, service=service.name, takes_effect="with its next deploy")


class GroupLinkKind(OperationKind):
    permission = "deployments.configure"
    risk = RISK
    exclusive = "group:{group}"
    parameters = [
        Parameter("group", "Group", choices=groups_anywhere, named=named.group),
        Parameter("service", "Service", choices=services_anywhere, named=named.service),
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        group, service = find_group(str(parameters["group"])), service_of(str(parameters["service"]))
        if service.is_self:
            raise Refused(f"{service.name} runs this portal; its variables stay as they are. Nothing was requested.")
        reached = touched(group)
        self.fits(group, service, linked=service in reached)
        check_place(environment, group, [*reached, *([] if service in reached else [service])])
        return {"group": group.render_id, "service": service.render_id}

    def fits(self, group: VariableGroup, service: Service, *, linked: bool) -> None:
        """Raises Refused for a link that is there already, or is not."""
        raise NotImplementedError

    def reaches(self, environment: Environment, parameters: Parameters) -> list[Environment]:
        return places([*touched(find_group(parameters["group"])), service_of(parameters["service"])])

    def content(self, environment: Environment, parameters: Parameters) -> bytes:
        """Whom it reaches and what it holds, by name: a change of either ends a request that waits for votes."""
        group = find_group(parameters["group"])
        held = group.variables.order_by("kind", "key").values_list("kind", "key")
        return repr((sorted(linked.render_id for linked in touched(group)), list(held))).encode()

    def describe(self, parameters: Parameters) -> str:
        name = VariableGroup.objects.filter(render_id=parameters["group"]).values_list("name", flat=True).first()
        return f"{name or parameters['group']} and {name_of(parameters['service'])}"


def _names(rows: Iterable[tuple[str, str]]) -> str:
    names = [key if kind == "variable" else f"file {key}" for kind, key in sorted(rows, reverse=True)]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _held(group: VariableGroup) -> set[tuple[str, str]]:
    return set(group.variables.values_list("kind", "key"))


class LinkGroup(GroupLinkKind):
    name, label = "deployments.link_group", "Link a group to a service"
    about = "Gives a service the variables of an environment group."
    steps = [step("link", link, pool="deploy")]

    def fits(self, group: VariableGroup, service: Service, *, linked: bool) -> None:
        if linked:
            raise Refused(f"{group.name} is linked to {service.name} already. Nothing was requested.")
        if own := portal.held_by(group):
            raise Refused(
                f"{group.name} holds secrets of this portal ({', '.join(own)}): whoever deploys {service.name} could "
                "read them. Nothing was requested."
            )
        for kind, key in sorted(_held(group)):
            if kind == "variable" and parity.rule_of(key, service.type) == parity.Rule.FORBIDDEN:
                raise Refused(
                    f"{group.name} holds {key}, which must never be on {service.name}: visitors could read it. "
                    "Nothing was requested."
                )

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        group, service = find_group(parameters["group"]), service_of(parameters["service"])
        held, own = _held(group), set(service.variables.values_list("kind", "key"))
        lines = [Consequence(f"{service.name} ({service.environment}) gets {_names(held - own) or 'nothing'}.", "warn")]
        if held & own:
            lines.append(Consequence(f"It sets {_names(held & own)} itself, which wins.", "ok"))
        places = {linked.environment for linked in touched(group)} - {service.environment}
        if places:
            others = ", ".join(sorted(map(str, places)))
            lines.append(Consequence(f"The same values reach {others} too; the parity page judges it.", "bad"))
        return [*lines, Consequence("It takes effect with its next deploy.", "warn")]


class UnlinkGroup(GroupLinkKind):
    name, label = "deployments.unlink_group", "Unlink a group from a service"
    about = "Takes the variables of an environment group away from a service."
    steps = [step("unlink", unlink, pool="deploy")]

    def fits(self, group: VariableGroup, service: Service, *, linked: bool) -> None:
        if not linked:
            known = ", ".join(linked.name for linked in touched(group)) or "no service"
            raise Refused(f"{group.name} is not linked to {service.name}, but to {known}. Nothing was requested.")

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        group, service = find_group(parameters["group"]), service_of(parameters["service"])
        other = {
            variable
            for linked in service.groups.exclude(pk=group.pk).filter(removed_at=None)
            for variable in _held(linked)
        }
        staying = _held(group) & (set(service.variables.values_list("kind", "key")) | other)
        lost = _names(_held(group) - staying) or "nothing"
        lines = [Consequence(f"{service.name} ({service.environment}) loses {lost} with its next deploy.", "bad")]
        if staying:
            lines.append(Consequence(f"{_names(staying)} come from itself or from another group.", "ok"))
        return [*lines, Consequence(f"{group.name} stays, with its values, and can be linked again.", "ok")]
