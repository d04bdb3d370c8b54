"""Set or delete one variable of an environment group: it reaches every linked service, so all of them are named.

The strictest of their environments decides; a link that appears between the request and the act ends it unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable

from deployments.kinds.base import the_one
from deployments.kinds.variables import VALUE, WORKER_VARIABLE, check_key, check_value, given_value, refuse_changed
from deployments.models import Service, VariableGroup, named
from deployments.render.at_most_once import RENDER
from deployments.render.client import render
from deployments.variables import fingerprints, parity
from deployments.variables.reach import RISK, places, strictest
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment
from providers.errors import Refused
from providers.render import EnvGroup, Render


def groups_here(environment: Environment) -> Iterable[tuple[str, str]]:
    groups = VariableGroup.objects.filter(removed_at=None, services__environment=environment).distinct()
    return [(group.render_id, f"{group.name}, reaches {', '.join(map(str, touched(group)))}") for group in groups]


GROUP = Parameter("group", "Group", choices=groups_here, named=named.group)


def find_group(named: str) -> VariableGroup:
    """A group by Render's id or by name. Raises Refused."""
    none = "none; read them on an environment's parity page"
    return the_one(VariableGroup.objects.all(), named, f"There is no variable group {named!r}", none)


def touched(group: VariableGroup) -> list[Service]:
    return list(group.services.filter(removed_at=None).select_related("environment").order_by("name"))


def checked(ctx: StepContext) -> tuple[Render, EnvGroup]:
    """The group as it is on Render now. Raises Refused where its links are not the ones that were shown."""
    api = render()
    seen = api.env_groups.get(ctx.parameters["group"])
    shown = {service.render_id for service in touched(find_group(seen.id))}
    if shown_links(seen) != shown:
        fingerprints.store_group(seen)
        raise Refused(
            f"{seen.name} is no longer linked to the services that were shown. Nothing was changed; request it again."
        )
    return api, seen


def shown_links(seen: EnvGroup) -> set[str]:
    """The services that it reaches; those that this portal knows as gone do not count."""
    gone = Service.objects.filter(render_id__in=seen.services).exclude(removed_at=None)
    return set(seen.services) - set(gone.values_list("render_id", flat=True))


def _refuse_changed(ctx: StepContext, seen: EnvGroup, wanted: str | None) -> None:
    now = {variable.key: variable.value for variable in seen.variables}
    key, rows = ctx.parameters["key"], find_group(seen.id).variables.filter(kind="variable")
    try:
        refuse_changed(ctx, rows, key, now.get(key), wanted)
    except Refused:
        fingerprints.store_group(seen)
        raise


def set_variable(ctx: StepContext) -> None:
    """Set it once and read it back; the value is neither logged nor stored."""
    api, seen = checked(ctx)
    key, value = ctx.parameters["key"], given_value(ctx)
    _refuse_changed(ctx, seen, value)

    def shown() -> EnvGroup | None:
        now = api.env_groups.get(seen.id)
        return now if any(variable.key == key and variable.value == value for variable in now.variables) else None

    otherwise = f"Render does not show the new value of {key} in {seen.name}. Look at its dashboard."
    _done(ctx, RENDER.brought_about(ctx, shown, lambda: api.env_groups.set(seen.id, key, value), otherwise))


def delete_variable(ctx: StepContext) -> None:
    api, seen = checked(ctx)
    key = ctx.parameters["key"]
    _refuse_changed(ctx, seen, None)

    def gone() -> EnvGroup | None:
        now = api.env_groups.get(seen.id)
        return now if all(variable.key != key for variable in now.variables) else None

    otherwise = f"Render still shows {key} in {seen.name}. Look at its dashboard."
    now = RENDER.brought_about(ctx, gone, lambda: api.env_groups.delete(seen.id, key), otherwise)
    find_group(seen.id).variables.filter(kind="variable", key=key).delete()
    _done(ctx, now)


def _done(ctx: StepContext, now: EnvGroup) -> None:
    row = fingerprints.store_group(now)
    names = [service.name for service in touched(row)]
    ctx.result(group=row.name, key=ctx.parameters["key"], services=names, takes_effect="with their next deploys")


class GroupVariableKind(OperationKind):
    permission = "deployments.configure"
    risk = RISK
    exclusive = "group:{group}"
    does = ""  # what it does to a linked service: that gets or loses it

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        group = find_group(str(parameters["group"]))
        services = touched(group)
        check_key(parameters)
        for service in services:
            if service.is_self:
                raise Refused(f"{group.name} reaches {service.name}, which runs this portal. Nothing was requested.")
        check_place(environment, group, services)
        return {**parameters, "group": group.render_id}

    def reaches(self, environment: Environment, parameters: Parameters) -> list[Environment]:
        return places(touched(find_group(parameters["group"])))

    def content(self, environment: Environment, parameters: Parameters) -> bytes:
        """The services that it reaches: another link ends a request that waits for votes."""
        return ",".join(service.render_id for service in touched(find_group(parameters["group"]))).encode()

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        group, key = find_group(parameters["group"]), parameters["key"]
        services = touched(group)
        known = group.variables.filter(kind="variable", key=key).exists()
        lines = [Consequence(self.effect_of(group, key, known), "warn")]
        lines += [_reached(service, key, self.does) for service in services]
        if not services:
            lines.append(Consequence("It is linked to no service.", "ok"))
        return [*lines, Consequence("It takes effect with the next deploy of each of them.", "warn")]

    def effect_of(self, group: VariableGroup, key: str, known: bool) -> str:
        raise NotImplementedError

    def describe(self, parameters: Parameters) -> str:
        name = VariableGroup.objects.filter(render_id=parameters["group"]).values_list("name", flat=True).first()
        return f"{name or parameters['group']} {parameters['key']}"


def check_place(environment: Environment, group: VariableGroup, services: list[Service]) -> None:
    """It is requested where the rules are strictest. Raises Refused."""
    deciding = strictest(services)
    if deciding is None:
        return
    weaker = (environment.protected, environment.votes(RISK)) < (deciding.protected, deciding.votes(RISK))
    if weaker or environment.pk not in {service.environment_id for service in services}:
        raise Refused(
            f"{group.name} reaches {deciding}, whose rules are the strictest of all that it reaches. "
            f"Nothing was requested; request it for {deciding}."
        )


def _reached(service: Service, key: str, does: str) -> Consequence:
    environment = service.environment
    if service.variables.filter(kind="variable", key=key).exists():
        return Consequence(
            f"{service.name} ({environment}): sets {key} itself, which wins; nothing changes there.", "ok"
        )
    production = environment is not None and environment.kind == Environment.Kind.PRODUCTION
    return Consequence(f"{service.name} ({environment}) {does} it.", "bad" if production else "warn")


class SetGroupVariable(GroupVariableKind):
    name, label = "deployments.set_group_variable", "Set a variable of a group"
    about = "Sets a variable for every service of an environment group."
    does = "gets"
    steps = [step("set", set_variable, pool="deploy")]
    parameters = [GROUP, Parameter("key", "Name"), VALUE, WORKER_VARIABLE]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        check_value(parameters)
        key = str(parameters["key"])
        for service in touched(find_group(str(parameters["group"]))):
            if parity.rule_of(key, service.type) == parity.Rule.FORBIDDEN:
                raise Refused(f"{key} must never be on {service.name}: visitors could read it. Nothing was requested.")
        return super().clean(environment, parameters)

    def effect_of(self, group: VariableGroup, key: str, known: bool) -> str:
        return f"{key} of the group {group.name} is {'replaced' if known else 'added'}; no other one is touched."


class DeleteGroupVariable(GroupVariableKind):
    name, label = "deployments.delete_group_variable", "Delete a variable of a group"
    about = "Takes a variable out of an environment group; it is gone at the next deploys."
    does = "loses"
    steps = [step("delete", delete_variable, pool="deploy")]
    parameters = [GROUP, Parameter("key", "Name")]

    def effect_of(self, group: VariableGroup, key: str, known: bool) -> str:
        return f"{key} of the group {group.name} is gone for good: nobody here knows its value."
