"""What lies around a service: its own domains, the rules of a static site, the addresses that it connects from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from providers.http.part import Part
from providers.http.shapes import Json, text, thing, whole
from providers.render.models import listed
from providers.render.paging import at, things


@dataclass(frozen=True)
class Domain:
    """`verification` is Render's word on the DNS entry: verified or unverified."""

    id: str
    name: str
    verification: str = ""

    @classmethod
    def parse(cls, data: Json) -> Domain:
        return cls(text(data.get("id")), text(data.get("name")), text(data.get("verificationStatus")))


@dataclass(frozen=True)
class Route:
    """A redirect or rewrite; rules are tried by `priority`, 0 first."""

    id: str
    type: str
    source: str
    destination: str = ""
    priority: int = 0

    @classmethod
    def parse(cls, data: Json) -> Route:
        kind, source, destination = (text(data.get(key)) for key in ("type", "source", "destination"))
        return cls(text(data.get("id")), kind, source, destination, whole(data.get("priority")) or 0)


class Domains(Part):
    def get(self, service: str, domain: str) -> Domain:
        """By name or id. Raises NotFound."""
        return Domain.parse(thing(self._http.get(at("services", service, "custom-domains", domain))))

    def verify(self, service: str, domain: str) -> None:
        """Render looks at the DNS entry again; what it found is read with `get`."""
        self._http.send("POST", at("services", service, "custom-domains", domain, "verify"))


class Routes(Part):
    def list(self, service: str) -> Iterator[Route]:
        for data in things(self._http, at("services", service, "routes"), "route"):
            yield Route.parse(data)

    def move(self, service: str, route: str, priority: int) -> None:
        """Put one rule at this place; the others make room. By its id since Render's API of October 2026."""
        self._http.send("PATCH", at("services", service, "routes", route), body={"priority": priority})


class Addresses(Part):
    def outbound(self, service: str) -> tuple[str, ...]:
        """The addresses that a service's connections come from: its own, or those its region shares."""
        answer = thing(self._http.get(at("services", service, "outbound-ips")))
        return tuple(text(address) for address in listed(answer.get("ips")))
