"""Who may reach a project's database: let Render's addresses in, and lift a ban.

Both read Supabase's lists first and add or take away one thing; neither replaces a list.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from deployments import network
from deployments.kinds.functions import SUPABASE
from operations.engine.context import StepContext
from operations.engine.kinds import OperationKind
from operations.engine.specs import Consequence, Parameter, Parameters, step
from operations.models import Environment, Risk
from operations.supabase_projects import ref_of, supabase
from providers.errors import Refused


def missing(environment: Environment) -> list[str]:
    """Render's addresses that the list leaves out, as they were read last. Raises Refused where none is."""
    ref_of(environment)
    seen, ours = network.known(environment), network.of_render(environment)
    if seen.allowed is None or not ours:
        raise Refused(
            f"Which addresses may reach the database of {environment}, or which are Render's, was not read yet. "
            "Nothing was requested. Both are read every quarter of an hour; doctor says what stands in the way."
        )
    if seen.open_to_all:
        raise Refused(f"Every address may reach the database of {environment}. Nothing was requested.")
    lost = network.outside(ours, seen.allowed)
    if not lost:
        raise Refused(f"Every address of Render's services is in the list of {environment}. Nothing was requested.")
    return lost


def cidr(address: str) -> str:
    """As Supabase wants it: an address alone is a range of one."""
    if "/" in address:
        return address
    return f"{address}/{32 if ip_address(address).version == 4 else 128}"


def allow(ctx: StepContext) -> None:
    """Exactly the addresses that were voted on. Raises ProviderError where Supabase does not list them."""
    api, ref, wanted = supabase(), ref_of(ctx.environment), [cidr(one) for one in ctx.parameters["addresses"].split()]

    def listed() -> bool | None:
        now = api.network.restrictions(ref)
        return not network.outside(wanted, [*now.cidrs, *now.cidrs_v6]) or None

    four, six = [one for one in wanted if ":" not in one], [one for one in wanted if ":" in one]
    otherwise = f"Supabase does not list {', '.join(wanted)}. Look at its dashboard (Database, Network restrictions)."
    SUPABASE.brought_about(ctx, listed, lambda: api.network.allow(ref, four, six), otherwise)
    network.read(api, ctx.environment)
    ctx.result(project=ref, added=wanted)


class AllowRender(OperationKind):
    name, label = "deployments.allow_render", "Let Render's addresses into the database"
    about = "Adds the addresses of Render's services to the list of who may reach the database."
    permission = "deployments.configure"
    risk = Risk.SENSITIVE
    connects = ("project",)
    exclusive = "network:{environment}"
    steps = [step("allow", allow, pool="deploy")]
    parameters = [
        Parameter("addresses", "Addresses", required=False, help="Empty: all of Render's that the list lacks.")
    ]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        lost = missing(environment)
        given = str(parameters.get("addresses", "")).split() or lost
        if others := set(given) - set(lost):
            raise Refused(
                f"{', '.join(sorted(others))} is no address of Render's that is left out. Nothing was requested."
            )
        return {"addresses": " ".join(given)}

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        ours = network.of_render(environment)
        lines = [f"{one} ({', '.join(ours.get(one, []))})" for one in parameters["addresses"].split()]
        return [
            Consequence(f"These may reach the database of {environment}: {', '.join(lines)}.", "warn"),
            Consequence(
                "Addresses that a region shares are other customers' of Render too; a password is still needed."
            ),
            Consequence("What is in the list stays.", "ok"),
        ]

    def describe(self, parameters: Parameters) -> str:
        return str(parameters.get("addresses", "Render's addresses"))


def banned(environment: Environment) -> Iterable[tuple[str, str]]:
    ours = network.of_render(environment)
    for address in network.known(environment).banned:
        names = ours.get(address)
        yield address, f"{address} ({', '.join(names)})" if names else address


def unban(ctx: StepContext) -> None:
    api, ref, address = supabase(), ref_of(ctx.environment), ctx.parameters["address"]

    def free() -> bool | None:
        return address not in api.network.banned(ref) or None

    otherwise = f"Supabase still bans {address}. Look at its dashboard (Database, Network bans)."
    SUPABASE.brought_about(ctx, free, lambda: api.network.unban(ref, [address]), otherwise)
    network.read(api, ctx.environment, taken=address)
    ctx.result(project=ref, address=address)


class Unban(OperationKind):
    name, label = "deployments.unban", "Lift a ban of the database"
    about = "Lets an address that Supabase shut out reach the database again."
    permission = "deployments.configure"
    risk = Risk.SENSITIVE
    connects = ("project",)
    exclusive = "network:{environment}"
    subject = "{address}"
    steps = [step("unban", unban, pool="urgent")]
    parameters = [Parameter("address", "Address", choices=banned)]

    def clean(self, environment: Environment, parameters: Parameters) -> Parameters:
        address, known = str(parameters["address"]).strip(), network.known(environment).banned
        if address not in known:
            listed = ", ".join(known) or "none"
            raise Refused(
                f"Supabase does not ban {address!r}. Nothing was requested. Banned when it was read last: {listed}."
            )
        return {"address": address}

    def assess(self, environment: Environment, parameters: Parameters) -> str:
        """To let Render's own address back in restores service."""
        return str(Risk.ROUTINE if parameters["address"] in network.of_render(environment) else Risk.SENSITIVE)

    def consequences(self, environment: Environment, parameters: Parameters) -> list[Consequence]:
        names = network.of_render(environment).get(parameters["address"])
        whose = f"It is of Render's services: {', '.join(names)}." if names else "It is of no service of Render's here."
        return [
            Consequence(f"{parameters['address']} may try to sign in to the database again.", "warn"),
            Consequence(f"Supabase bans after many wrong passwords in a row. {whose}", "ok" if names else "bad"),
        ]
