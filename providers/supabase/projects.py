"""Organisations, projects and their health. Refs are found in the addresses that the product's own settings hold."""

from __future__ import annotations

import re
from collections.abc import Sequence

from providers.http.part import Part
from providers.http.shapes import part, rows, thing
from providers.supabase.models import Addon, DiskUse, Member, Organization, Project, ServiceHealth
from providers.supabase.state import ReadOnly, Upgrade, UpgradeStatus

SERVICES = ("db", "auth", "rest", "pooler", "storage", "realtime")
_REF = re.compile(r"(?://|db\.|postgres\.)([a-z]{20})(?=[.:@/]|$)")


def project_ref(address: str) -> str | None:
    """The ref in a SUPABASE_URL, a direct host or a pooler's connection string; None where there is none."""
    match = _REF.search(address)
    return match[1] if match else None


class Organizations(Part):
    def list(self) -> list[Organization]:
        return [Organization.parse(item) for item in rows(self._http.get("/v1/organizations"))]

    def get(self, slug: str) -> Organization:
        """With the plan: free, pro, team or enterprise."""
        return Organization.parse({"slug": slug} | dict(thing(self._http.get(f"/v1/organizations/{slug}"))))

    def members(self, slug: str) -> Sequence[Member]:
        """Everybody in it, with Supabase's own word for their role."""
        return [Member.parse(item) for item in rows(self._http.get(f"/v1/organizations/{slug}/members"))]


class Projects(Part):
    def list(self) -> list[Project]:
        return [Project.parse(item) for item in rows(self._http.get("/v1/projects"))]

    def get(self, ref: str) -> Project:
        return Project.parse({"ref": ref} | dict(thing(self._http.get(f"/v1/projects/{ref}"))))

    def health(self, ref: str, services: Sequence[str] = SERVICES) -> Sequence[ServiceHealth]:
        answer = self._http.get(f"/v1/projects/{ref}/health", {"services": list(services)})
        return [ServiceHealth.parse(item) for item in rows(answer)]

    def addons(self, ref: str) -> Sequence[Addon]:
        """What is paid for beside the plan, PITR among it."""
        answer = thing(self._http.get(f"/v1/projects/{ref}/billing/addons"))
        return [Addon.parse(item) for item in rows(answer.get("selected_addons"))]

    def disk(self, ref: str) -> DiskUse:
        """The file system of the project's database, as it was measured last."""
        return DiskUse.parse(part(thing(self._http.get(f"/v1/projects/{ref}/config/disk/util")).get("metrics")))

    def resume(self, ref: str) -> None:
        """Wake a paused project (Supabase calls this restore); poll `get(ref).status`."""
        self._http.send("POST", f"/v1/projects/{ref}/restore")

    def read_only(self, ref: str) -> ReadOnly:
        """Whether Supabase refuses writes because the disk is nearly full."""
        return ReadOnly.parse(thing(self._http.get(f"/v1/projects/{ref}/readonly")))

    def lift_read_only(self, ref: str) -> None:
        """For a quarter of an hour, in which space can be made."""
        self._http.send("POST", f"/v1/projects/{ref}/readonly/temporary-disable")

    def upgrade(self, ref: str) -> Upgrade:
        """Whether its Postgres can be upgraded, to what, and what stands in the way."""
        return Upgrade.parse(thing(self._http.get(f"/v1/projects/{ref}/upgrade/eligibility")))

    def upgrade_status(self, ref: str) -> UpgradeStatus | None:
        """The last upgrade; None where there was none."""
        answer = thing(self._http.get(f"/v1/projects/{ref}/upgrade/status"))
        status = part(answer.get("databaseUpgradeStatus"))
        return UpgradeStatus.parse(status) if status else None
