"""Which Supabase project an environment uses, by the ref in its services' SUPABASE_URL. In: Render. Out: links, lines.

The value is read, its ref taken out, and forgotten; an environment that a person linked keeps that link.
"""

from __future__ import annotations

from deployments.models import Service
from operations.accounts import SETUP
from operations.models import Environment
from operations.supabase_projects import link
from providers.errors import ProviderError, Refused
from providers.render import Render
from providers.supabase import project_ref

VARIABLE = "SUPABASE_URL"


def link_projects(api: Render) -> list[str]:
    """One line for each environment whose services name a project. Raises ProviderError."""
    lines = []
    for environment in Environment.objects.of_the_product().exclude(kind=Environment.Kind.PREVIEW):
        named = refs_named(api, environment)
        if named:
            lines.append(_linked(environment, named))
    return lines


def refs_named(api: Render, environment: Environment) -> dict[str, str]:
    """Refs that the environment's services name, each with the service that does."""
    refs: dict[str, str] = {}
    for service in Service.objects.filter(environment=environment, removed_at=None).order_by("name"):
        if not service.variables.filter(key=VARIABLE).exists():
            continue
        values = [variable.value for variable in api.env_vars.list(service.render_id) if variable.key == VARIABLE]
        ref = project_ref(values[0]) if values else None
        if ref:
            refs.setdefault(ref, service.name)
    return refs


def _linked(environment: Environment, named: dict[str, str]) -> str:
    ref, service = next(iter(named.items()))
    if len(named) > 1 and not environment.supabase_ref:
        return f"{environment}: its services name several projects ({', '.join(named)}); choose one on the set-up page"
    if environment.supabase_ref:
        other = "" if environment.supabase_ref in named else f"; {service} names {ref}, which was not taken over"
        return f"{environment}: Supabase project {environment.supabase_ref} stays linked{other}"
    try:
        link(environment, ref, by=SETUP, how=f"{VARIABLE} of {service}")
    except (Refused, ProviderError) as error:
        return str(error)
    return f"{environment}: linked to Supabase project {ref}, by {VARIABLE} of {service}"
