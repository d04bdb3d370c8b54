"""Render's answers as frozen dataclasses made from JSON: unknown fields are ignored, unknown words are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from providers.http.errors import Misshapen
from providers.http.shapes import Json, moment, part, text, whole


def listed(value: Any) -> list[Any]:
    """The items of a list; nothing for what is none."""
    return value if isinstance(value, list) else []


def about(asked: str, answer: Any, name: str = "id") -> Json:
    """The answer to a read of one thing. Raises Misshapen where it is about nothing, or about another."""
    said = part(answer)
    if text(said.get(name)) != asked:
        raise Misshapen(f"Render was asked for {asked} and answered about {text(said.get(name))[:80] or 'nothing'}.")
    return said


@dataclass(frozen=True)
class Commit:
    id: str = ""
    message: str = ""
    created_at: datetime | None = None

    @classmethod
    def parse(cls, data: Json) -> Commit:
        return cls(text(data.get("id")), text(data.get("message")), moment(data.get("createdAt")))


@dataclass(frozen=True)
class Deploy:
    """A deploy. `status` is Render's own word, also one that we do not know; without an `id` it says nothing."""

    id: str
    status: str = ""
    trigger: str = ""
    commit: Commit = Commit()
    image: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @classmethod
    def parse(cls, data: Json) -> Deploy:
        return cls(
            id=text(data.get("id")),
            status=text(data.get("status")),
            trigger=text(data.get("trigger")),
            commit=Commit.parse(part(data.get("commit"))),
            image=text(part(data.get("image")).get("ref")),
            started_at=moment(data.get("startedAt")),
            finished_at=moment(data.get("finishedAt")),
            created_at=moment(data.get("createdAt")),
            updated_at=moment(data.get("updatedAt")),
        )


@dataclass(frozen=True)
class MaintenanceMode:
    enabled: bool = False
    uri: str = ""


@dataclass(frozen=True)
class Service:
    """A service; `details` is its serviceDetails as sent, for the settings diff."""

    id: str
    name: str
    type: str = ""
    auto_deploy: bool = False
    auto_deploy_trigger: str = ""
    branch: str = ""
    repo: str = ""
    owner_id: str = ""
    environment_id: str = ""
    dashboard_url: str = ""
    suspended: bool = False
    suspenders: tuple[str, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None
    details: Json = field(default_factory=dict)
    lacks: tuple[str, ...] = ()

    def whole(self) -> Service:
        """Itself. Raises Misshapen where it lacks a state: what is not said is neither off nor on."""
        if self.lacks:
            raise Misshapen(f"Render said nothing of {', '.join(self.lacks)} of {self.name or self.id}.")
        return self

    @property
    def url(self) -> str:
        return text(self.details.get("url"))

    @property
    def health_check_path(self) -> str:
        return text(self.details.get("healthCheckPath"))

    @property
    def instances(self) -> int | None:
        number = whole(self.details.get("numInstances"))
        return number if number is not None and number < 2**31 else None

    @property
    def parent_id(self) -> str:
        return text(part(self.details.get("parentServer")).get("id"))

    @property
    def maintenance(self) -> MaintenanceMode:
        mode = part(self.details.get("maintenanceMode"))
        return MaintenanceMode(mode.get("enabled") is True, text(mode.get("uri")))

    @classmethod
    def parse(cls, data: Json) -> Service:
        return cls(
            id=text(data.get("id")),
            name=text(data.get("name")),
            type=text(data.get("type")),
            auto_deploy=data.get("autoDeploy") == "yes",
            auto_deploy_trigger=text(data.get("autoDeployTrigger")),
            branch=text(data.get("branch")),
            repo=text(data.get("repo")),
            owner_id=text(data.get("ownerId")),
            environment_id=text(data.get("environmentId")),
            dashboard_url=text(data.get("dashboardUrl")),
            suspended=data.get("suspended") != "not_suspended",
            suspenders=_words(data.get("suspenders")),
            created_at=moment(data.get("createdAt")),
            updated_at=moment(data.get("updatedAt")),
            details=part(data.get("serviceDetails")),
            lacks=tuple(_lacks(data)),
        )


def _lacks(data: Json) -> Iterator[str]:
    """Which of the states that the specification requires it does not tell; only a whole answer without a maintenance
    mode is one of a service that is not in it."""
    yield from (name for name in ("suspended", "autoDeploy") if not isinstance(data.get(name), str))
    details = data.get("serviceDetails")
    if not isinstance(details, Mapping) or (data.get("type") == "web_service" and not text(details.get("url"))):
        yield "serviceDetails"
    elif (mode := details.get("maintenanceMode")) is not None and not isinstance(part(mode).get("enabled"), bool):
        yield "maintenanceMode"


def _words(given: Any) -> tuple[str, ...]:
    return tuple(text(word)[:40] for word in listed(given) if isinstance(word, str))


@dataclass(frozen=True)
class Event:
    id: str
    type: str
    service_id: str = ""
    at: datetime | None = None
    details: Json = field(default_factory=dict)

    @property
    def deploy_id(self) -> str:
        return text(self.details.get("deployId"))

    @property
    def user(self) -> str:
        """Who pressed the button, where Render tells: `details.trigger.user` of a started build or deploy."""
        user = part(part(self.details.get("trigger")).get("user"))
        return text(user.get("email") or user.get("id"))

    @classmethod
    def parse(cls, data: Json) -> Event:
        return cls(
            text(data.get("id")),
            text(data.get("type")),
            text(data.get("serviceId")),
            moment(data.get("timestamp")),
            part(data.get("details")),
        )
