"""Who may reach a project's database: Supabase's allow-list and bans, held against the addresses of Render's services.

In: the client, every ten minutes. Out: `known()`, and what is shut out, for doctor and pages. A part that the token may
not read keeps what was known of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from django.db.models import JSONField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat

from deployments import last_look, workspace
from deployments.models import Service
from operations.accounts import SUPABASE
from operations.doctor import Check
from operations.models import Environment, Heartbeat
from operations.supabase_projects import ref_of
from providers.supabase import Supabase

PREFIX = "supabase.network:"
NAMES = {"allowed": "{} in the allow-list".format, "banned": "the ban of {}".format}
PARTS = {"allowed": "in the allow-list", "banned": "the ban of"}
WHY = "The product, or the portal, cannot reach its database; a new instance fails at once."


@dataclass
class Network:
    """`allowed` holds both lists; None: not read yet. `read_only`: Supabase refuses writes, the disk is nearly full."""

    allowed: list[str] | None = None
    open_to_all: bool = False
    banned: list[str] = field(default_factory=list)
    read_only: bool = False
    notes: dict[str, str] = field(default_factory=dict)
    missing: dict[str, dict[str, str]] = field(default_factory=dict)
    seen_at: str = ""


def known(environment: Environment) -> Network:
    """As of the last reading of the project that the environment has now."""
    return last_look.known(_name(environment), Network, getattr(environment, "network_kept", None))


def with_known(environments: QuerySet[Environment]) -> QuerySet[Environment]:
    """The rows with what `known` reads of each, for pages that count their queries."""
    of_each = Heartbeat.objects.filter(name=Concat(Value(PREFIX), OuterRef("supabase_ref")))
    empty = Value({}, output_field=JSONField())
    return environments.annotate(network_kept=Coalesce(Subquery(of_each.values("detail")[:1]), empty))


def _name(environment: Environment) -> str:
    return PREFIX + environment.supabase_ref


def read(api: Supabase, environment: Environment, *, taken: str = "") -> None:
    """Ask for every part. Raises ProviderError where Supabase does not answer at all.

    `taken`: the address that an operation has just set free."""
    ref = ref_of(environment)
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "allow-list": lambda: _restrictions(api, ref),
        "bans": lambda: {"banned": list(api.network.banned(ref))},
        "read-only": lambda: {"read_only": api.projects.read_only(ref).enabled},
    }
    telling = last_look.Telling(SUPABASE, NAMES, environment, passing=["banned"])
    last_look.look(_name(environment), parts, telling, taken=[taken])


def _restrictions(api: Supabase, ref: str) -> dict[str, Any]:
    now = api.network.restrictions(ref)
    return {"allowed": [*now.cidrs, *now.cidrs_v6], "open_to_all": now.open_to_all}


def outside(addresses: Iterable[str], allowed: Iterable[str]) -> list[str]:
    """The addresses that no entry of an allow-list covers. What is no address stands in the way of nothing."""
    lists = [network for entry in allowed if (network := _network(entry))]
    wanted = {address: network for address in addresses if (network := _network(address))}
    return [
        address
        for address, network in wanted.items()
        if not any(network.version == entry.version and network.subnet_of(entry) for entry in lists)
    ]


def _network(text: str) -> Any:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def of_render(environment: Environment) -> dict[str, list[str]]:
    """Address → the services of this environment, and the portal's own, that connect from it."""
    here, found = workspace.known().addresses, dict[str, list[str]]()
    rows = Service.objects.filter(removed_at=None, render_id__in=here).order_by("name")
    for service in rows:
        if service.is_self or service.environment_id == environment.pk:
            for address in here[service.render_id]:
                found.setdefault(address, []).append(service.name)
    return found


def shut_out(environment: Environment) -> dict[str, list[str]]:
    """Render's addresses that the allow-list leaves out, or that are banned, each with its services."""
    seen, ours = known(environment), of_render(environment)
    left_out = [] if seen.open_to_all or not seen.allowed else outside(ours, seen.allowed)
    return {address: ours[address] for address in ours if address in left_out or address in seen.banned}


def reach(environment: Environment | None) -> Iterator[Check]:
    """One project after another."""
    every = [environment] if environment else Environment.objects.exclude(supabase_ref="")
    for linked in every:
        yield from of(linked)


def of(environment: Environment) -> Iterator[Check]:
    """What is known of one project; nothing where there is none, or before it was read."""
    seen = known(environment) if environment.supabase_ref else Network()
    yield from last_look.refused(f"{environment.slug} at Supabase", seen.notes)
    yield from last_look.in_doubt(f"{environment.slug} lists of addresses", seen.missing, PARTS)
    if seen.allowed is not None:
        yield last_look.as_of(seen.seen_at, _reach(environment, seen))
    if seen.read_only:
        why, fix = "Every write of the product fails.", "Request deployments.lift_read_only, then make space."
        yield Check(f"{environment.slug} database writes", "bad", "refused by Supabase: the disk is full", why, fix)


def _reach(environment: Environment, seen: Network) -> Check:
    name, lost = f"{environment.slug} reach from Render", shut_out(environment)
    banned = [address for address in lost if address in seen.banned]
    told = ", ".join(f"{address} ({', '.join(names)})" for address, names in lost.items())
    if banned:
        return Check(name, "bad", f"Render's addresses are banned: {told}"[:300], WHY, "Request deployments.unban.")
    if lost:
        found = f"Render's addresses are not in the allow-list: {told}"[:300]
        return Check(name, "bad", found, WHY, "Request deployments.allow_render.")
    if seen.open_to_all:
        return Check(name, "ok", "every address may connect", WHY)
    listed = [entry for entry in seen.allowed or [] if entry not in seen.missing.get("allowed", {})]
    if seen.allowed and (doubtful := outside(of_render(environment), listed)):
        found = f"the last answer left out what lets {', '.join(doubtful)} in"[:300]
        return Check(name, "warn", found, WHY, "It is asked again; then look at Supabase's network restrictions.")
    if not of_render(environment):
        return Check(
            name, "idle", "Render's addresses are not known yet", WHY, workspace.known().notes.get("addresses", "")
        )
    if unknown := _unknown(environment):
        found = f"every address that Render told of is in the allow-list; of {', '.join(unknown)} it told none"[:300]
        return Check(name, "warn", found, WHY, "They are asked for every quarter of an hour.")
    return Check(name, "ok", "every address of Render's services is in the allow-list", WHY)


def _unknown(environment: Environment) -> list[str]:
    """Its services that connect from addresses which nobody knows."""
    told = [service for service, addresses in workspace.known().addresses.items() if addresses]
    rows = Service.objects.filter(environment=environment, removed_at=None).exclude(render_id__in=told)
    return list(rows.exclude(type="static_site").order_by("name").values_list("name", flat=True)[:5])
