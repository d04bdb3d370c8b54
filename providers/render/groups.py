"""Environment groups and secret files: read whole, changed one key at a time, linked to services.

Reading one returns values in plain: fingerprint them at once, store neither. Values are kept out of `repr`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from providers.errors import ProviderError
from providers.http.errors import Misshapen
from providers.http.part import Part
from providers.http.shapes import Json, content, moment, needed, part, text
from providers.render.models import about, listed
from providers.render.paging import PAGE, at, things
from providers.render.records import EnvVar

BOUND = timedelta(microseconds=1)


@dataclass(frozen=True)
class SecretFile:
    name: str
    content: str = field(repr=False)

    @classmethod
    def parse(cls, data: Json) -> SecretFile:
        return cls(needed(data, "name"), content(data.get("content")))


@dataclass(frozen=True)
class EnvGroup:
    """A group; `services` are the ids of the services it is linked to. Lists tell neither variables nor files."""

    id: str
    name: str
    owner_id: str = ""
    created_at: datetime | None = None
    services: tuple[str, ...] = ()
    variables: tuple[EnvVar, ...] = ()
    files: tuple[SecretFile, ...] = ()

    @classmethod
    def parse(cls, data: Json) -> EnvGroup:
        return cls(
            id=needed(data, "id"),
            name=text(data.get("name")),
            owner_id=text(data.get("ownerId")),
            created_at=moment(data.get("createdAt")),
            services=tuple(text(part(link).get("id")) for link in listed(data.get("serviceLinks"))),
            variables=tuple(
                EnvVar(needed(var, "key"), content(var.get("value"))) for var in listed(data.get("envVars"))
            ),
            files=tuple(SecretFile.parse(file) for file in listed(data.get("secretFiles"))),
        )


class EnvGroups(Part):
    def list(self, owner: str | None = None) -> Iterator[EnvGroup]:
        """Names and links of every group. Render sends these without cursors, at most 100 at once (api-docs,
        list-env-groups): behind a full answer lie more, asked for by the time they were made."""
        by_id = {group.id: group for group in self._made(owner, None, None)}
        yield from by_id.values()

    def _made(self, owner: str | None, after: datetime | None, before: datetime | None) -> Iterator[EnvGroup]:
        """Those made between two moments, in whatever order Render sends them; a full answer is asked for in halves.

        The halves overlap, because nothing says whether a bound itself belongs to them."""
        values = things(
            self._http,
            "/env-groups",
            "envGroup",
            ownerId=[owner] if owner else None,
            createdAfter=after,
            createdBefore=before,
        )
        groups = [EnvGroup.parse(data) for data in values]
        yield from groups
        times = [group.created_at for group in groups if group.created_at]
        if len(groups) != PAGE or not times or max(times) - min(times) < timedelta(milliseconds=1):
            return
        if (after and min(times) < after - BOUND) or (before and max(times) > before + BOUND):
            raise ProviderError(f"Render answers {PAGE} groups whatever time is asked for, so the others stay unknown.")
        middle = min(times) + (max(times) - min(times)) / 2
        yield from self._made(owner, after, middle + BOUND)
        yield from self._made(owner, middle - BOUND, before)

    def get(self, group: str) -> EnvGroup:
        """Raises Misshapen where it is about another, or one of its lists is none."""
        data = about(group, self._http.get(at("env-groups", group)))
        for name in ("serviceLinks", "envVars", "secretFiles"):
            if not isinstance(data.get(name), list):
                raise Misshapen(f"Render answered about {group} without its {name}.")
        return EnvGroup.parse(data)

    def variable(self, group: str, key: str) -> EnvVar:
        data = about(key, self._http.get(at("env-groups", group, "env-vars", key)), "key")
        return EnvVar(key, content(data.get("value")))

    def file(self, group: str, name: str) -> SecretFile:
        return SecretFile.parse(about(name, self._http.get(at("env-groups", group, "secret-files", name)), "name"))

    def set(self, group: str, key: str, value: str) -> None:
        """Sets one key. It takes effect with the next deploy of each linked service."""
        self._http.send("PUT", at("env-groups", group, "env-vars", key), body={"value": value})

    def delete(self, group: str, key: str) -> None:
        self._http.send("DELETE", at("env-groups", group, "env-vars", key))

    def link(self, group: str, service: str) -> None:
        self._http.send("POST", at("env-groups", group, "services", service))

    def unlink(self, group: str, service: str) -> None:
        self._http.send("DELETE", at("env-groups", group, "services", service))


class SecretFiles(Part):
    def list(self, service: str) -> Iterator[SecretFile]:
        """The service's own files, with their content in plain."""
        for data in things(self._http, at("services", service, "secret-files"), "secretFile"):
            yield SecretFile.parse(data)

    def get(self, service: str, name: str) -> SecretFile:
        return SecretFile.parse(about(name, self._http.get(at("services", service, "secret-files", name)), "name"))

    def set(self, service: str, name: str, content: str) -> None:
        """Sets one file. It takes effect with the next deploy."""
        self._http.send("PUT", at("services", service, "secret-files", name), body={"content": content})

    def delete(self, service: str, name: str) -> None:
        self._http.send("DELETE", at("services", service, "secret-files", name))
