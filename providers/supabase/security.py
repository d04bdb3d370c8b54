"""Advisors, TLS enforcement, network restrictions and bans, and the pooler's address."""

from __future__ import annotations

from collections.abc import Sequence

from providers.http.part import Part
from providers.http.shapes import rows, thing, words
from providers.supabase.database import read_by_post
from providers.supabase.records import Lint, NetworkRestrictions, Pooler, SslEnforcement


class Advisors(Part):
    """Deprecated and experimental by the API's own words, and the only source: an absent answer is no finding."""

    def security(self, ref: str) -> list[Lint]:
        return self._lints(ref, "security")

    def performance(self, ref: str) -> list[Lint]:
        return self._lints(ref, "performance")

    def _lints(self, ref: str, kind: str) -> list[Lint]:
        answer = thing(self._http.get(f"/v1/projects/{ref}/advisors/{kind}"))
        return [Lint.parse(item) for item in rows(answer.get("lints"))]


class Network(Part):
    def restrictions(self, ref: str) -> NetworkRestrictions:
        return NetworkRestrictions.parse(thing(self._http.get(f"/v1/projects/{ref}/network-restrictions")))

    def allow(self, ref: str, cidrs: Sequence[str], cidrs_v6: Sequence[str]) -> None:
        """Adds to the lists and leaves the rest; in force once `restrictions` says applied."""
        lists = {"dbAllowedCidrs": [*cidrs], "dbAllowedCidrsV6": [*cidrs_v6]}
        body = {"add": {name: cidr for name, cidr in lists.items() if cidr}}
        self._http.send("PATCH", f"/v1/projects/{ref}/network-restrictions", body=body)

    def banned(self, ref: str) -> Sequence[str]:
        """Addresses shut out for too many wrong passwords. A read, though Supabase takes it as POST."""
        answer = thing(read_by_post(self._http, f"/v1/projects/{ref}/network-bans/retrieve"))
        return words(answer, "banned_ipv4_addresses")

    def unban(self, ref: str, addresses: Sequence[str]) -> None:
        self._http.send("DELETE", f"/v1/projects/{ref}/network-bans", body={"ipv4_addresses": [*addresses]})

    def ssl(self, ref: str) -> SslEnforcement:
        return SslEnforcement.parse(thing(self._http.get(f"/v1/projects/{ref}/ssl-enforcement")))

    def poolers(self, ref: str) -> list[Pooler]:
        answer = self._http.get(f"/v1/projects/{ref}/config/database/pooler")
        return [Pooler.parse(item) for item in rows(answer)]
