"""Services: lists, settings, maintenance mode, suspend, restart, scale, previews, cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from providers.http.part import Part
from providers.http.shapes import part
from providers.render.models import Service, about
from providers.render.paging import at, things


class Services(Part):
    def list(self, *, owner: Sequence[str] | None = None, previews: bool = True) -> Iterator[Service]:
        for data in things(self._http, "/services", "service", ownerId=owner, includePreviews=previews):
            yield Service.parse(data)

    def get(self, service: str, *, deadline: float | None = None) -> Service:
        """Raises Misshapen where the answer is about another, or lacks a state."""
        return Service.parse(about(service, self._http.get(at("services", service), deadline=deadline))).whole()

    def _patch(self, service: str, body: Mapping[str, Any]) -> Service:
        """Stores configuration; most changes need a deploy to take effect."""
        return Service.parse(part(self._http.send("PATCH", at("services", service), body=body)))

    def set_autodeploy(self, service: str, on: bool) -> Service:
        return self._patch(service, {"autoDeploy": "yes" if on else "no"})

    def set_autodeploy_trigger(self, service: str, trigger: str) -> Service:
        """`commit`, `off` or `checksPass`."""
        return self._patch(service, {"autoDeployTrigger": trigger})

    def set_source(self, service: str, *, repo: str | None = None, branch: str | None = None) -> Service:
        body = {"repo": repo, "branch": branch}
        return self._patch(service, {name: value for name, value in body.items() if value is not None})

    def set_health_check_path(self, service: str, path: str) -> Service:
        return self._patch(service, {"serviceDetails": {"healthCheckPath": path}})

    def set_maintenance(self, service: str, enabled: bool, uri: str = "") -> Service:
        """Maintenance mode of a web service; both fields are required, an empty uri is Render's own page."""
        return self._patch(service, {"serviceDetails": {"maintenanceMode": {"enabled": enabled, "uri": uri}}})

    def suspend(self, service: str) -> None:
        self._http.send("POST", at("services", service, "suspend"))

    def resume(self, service: str) -> None:
        self._http.send("POST", at("services", service, "resume"))

    def restart(self, service: str) -> None:
        self._http.send("POST", at("services", service, "restart"))

    def scale(self, service: str, instances: int) -> None:
        """Ignored by Render while autoscaling is on."""
        self._http.send("POST", at("services", service, "scale"), body={"numInstances": instances})

    def purge_cache(self, service: str) -> None:
        self._http.send("POST", at("services", service, "cache", "purge"))

    def delete(self, service: str) -> None:
        self._http.send("DELETE", at("services", service))
