"""A service's own domain looked at again, and the order of a static site's redirects and rewrites."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from deployments.kinds.base import SERVICE, STATIC_SITE, ServiceKind, here, name_of
from deployments.models import Service
from deployments.render.at_most_once import RENDER
from operations.engine.context import StepContext
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from providers.errors import Refused
from providers.render import Render
from providers.render.edge import Route

VERIFIED = "verified"


def verify(ctx: StepContext) -> None:
    """Raises ProviderError, with the entry that is needed, where Render does not see it."""
    api, service = here(ctx)
    domain, host = ctx.parameters["domain"], urlsplit(service.url).hostname or "the service's onrender.com name"

    def verified() -> bool | None:
        return api.domains.get(service.render_id, domain).verification == VERIFIED or None

    otherwise = (
        f"Render does not see the DNS entry of {domain} yet; nothing else was changed. It is a CNAME to {host}; one "
        "with no part before it needs the ALIAS, ANAME or A record that Render's dashboard shows. A new entry may take "
        "an hour to be seen; then request it again."
    )
    RENDER.brought_about(ctx, verified, lambda: api.domains.verify(service.render_id, domain), otherwise)
    ctx.result(service=service.name, domain=domain, verification=VERIFIED)


class VerifyDomain(ServiceKind):
    name, label, permission = "deployments.verify_domain", "Verify a domain", "deployments.configure"
    about = "Lets Render look at the DNS entry of a domain again."
    risk = Risk.ROUTINE
    exclusive = "domain:{service}"
    subject = "{service} {domain}"
    steps = [step("verify", verify, pool="deploy")]
    parameters = [SERVICE, Parameter("domain", "Domain", help="As it is written at Render: app.example.com.")]

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        domain = str(parameters["domain"]).strip().lower().rstrip(".")
        if len(domain) > 253 or not re.fullmatch(
            r"(?:[a-z0-9_](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", domain
        ):
            raise Refused("The domain is written as app.example.com. Nothing was requested.")
        return {**parameters, "domain": domain}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        return [
            Consequence(f"Render looks at the DNS entry of {parameters['domain']} again.", "ok"),
            Consequence(f"Once it is verified {name_of(parameters['service'])} gets a certificate for it.", "ok"),
        ]


def route_from(api: Render, service: Service, source: str) -> Route:
    """The rule for this path. Raises Refused with those there are."""
    rules = list(api.routes.list(service.render_id))
    for rule in rules:
        if rule.source == source:
            return rule
    known = ", ".join(rule.source for rule in rules) or "none"
    raise Refused(f"{service.name} has no redirect or rewrite of {source}. Nothing was changed. It has: {known}.")


def move(ctx: StepContext) -> None:
    api, service = here(ctx)
    source, wanted = ctx.parameters["source"], int(ctx.parameters["priority"])
    rule = route_from(api, service, source)

    def moved() -> bool | None:
        return route_from(api, service, source).priority == wanted or None

    otherwise = f"Render does not show {source} at {wanted}; perhaps there are fewer rules. Look at its dashboard."
    RENDER.brought_about(ctx, moved, lambda: api.routes.move(service.render_id, rule.id, wanted), otherwise)
    ctx.result(service=service.name, source=source, priority=wanted, was=rule.priority)


class MoveRoute(ServiceKind):
    name, label, permission = "deployments.move_route", "Move a redirect or rewrite", "deployments.configure"
    about = "Changes the order in which a static site tries its redirects and rewrites."
    risk = Risk.SENSITIVE
    steps = [step("move", move, pool="deploy")]
    parameters = [
        STATIC_SITE,
        Parameter("source", "Path", help="The rule's own, such as /old/*."),
        Parameter("priority", "Place", help="0 is tried first; the others make room."),
    ]
    subject = "{service} {source} to {priority}"

    def clean_for(self, service: Service, parameters: Parameters) -> Parameters:
        if service.type != "static_site":
            raise Refused(f"{service.name} is no static site and has no such rules. Nothing was requested.")
        if not str(parameters["priority"]).isdecimal() or int(parameters["priority"]) > 1000:
            raise Refused("priority is 0 to 1000. Nothing was requested.")
        if not re.fullmatch(r"/\S{0,500}", str(parameters["source"])):
            raise Refused("The path begins with /. Nothing was requested.")
        return parameters

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        source, place = parameters["source"], parameters["priority"]
        return [Consequence(f"{source} is tried at place {place}; a rule before it that fits wins.", "warn")]
