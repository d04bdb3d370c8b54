"""Environment variables (one key at a time: the list PUT replaces all), webhooks and blueprint validation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from providers.http.errors import UnknownOutcome
from providers.http.part import Part
from providers.http.shapes import content, needed, part
from providers.render.models import about
from providers.render.paging import at, things
from providers.render.records import Blueprint, BlueprintCheck, EnvVar, Webhook, WebhookEvent


class EnvVars(Part):
    def list(self, service: str) -> Iterator[EnvVar]:
        """Names and values in plain: hash them at once, store neither."""
        for data in things(self._http, at("services", service, "env-vars"), "envVar"):
            yield EnvVar(needed(data, "key"), content(data.get("value")))

    def get(self, service: str, key: str) -> EnvVar:
        data = about(key, self._http.get(at("services", service, "env-vars", key)), "key")
        return EnvVar(key, content(data.get("value")))

    def set(self, service: str, key: str, value: str) -> None:
        """Sets one key. It takes effect with the next deploy."""
        self._http.send("PUT", at("services", service, "env-vars", key), body={"value": value})

    def delete(self, service: str, key: str) -> None:
        self._http.send("DELETE", at("services", service, "env-vars", key))


class Webhooks(Part):
    """Needs a Professional workspace or higher: PlanTooLow or Unauthorized otherwise."""

    def list(self, owner: str) -> Iterator[Webhook]:
        for data in things(self._http, "/webhooks", "webhook", ownerId=[owner]):
            yield Webhook.parse(data)

    def create(self, owner: str, url: str, name: str, events: Sequence[str] = ()) -> Webhook:
        """An empty list of events means all of them."""
        body = {"ownerId": owner, "url": url, "name": name, "enabled": True, "eventFilter": [*events]}
        answer = part(self._http.send("POST", "/webhooks", body=body))
        if not answer.get("id"):
            raise UnknownOutcome("Render answered POST /webhooks without an id. Look at its list before you repeat it.")
        return Webhook.parse(answer)

    def sent(self, webhook: str, *, after: datetime | None = None) -> Iterator[WebhookEvent]:
        """What Render sent, also what did not arrive here."""
        for data in things(self._http, at("webhooks", webhook, "events"), "webhookEvent", sentAfter=after):
            yield WebhookEvent.parse(data)


class Blueprints(Part):
    def list(self, owner: str) -> Iterator[Blueprint]:
        """The workspace's blueprints, each with Render's own word on whether it is in sync with its render.yaml."""
        for data in things(self._http, "/blueprints", "blueprint", ownerId=[owner]):
            yield Blueprint.parse(data)

    def validate(self, owner: str, content: bytes) -> BlueprintCheck:
        """Render's verdict on a render.yaml; an invalid file is an answer, not an error."""
        files = {"ownerId": (None, owner), "file": ("render.yaml", content, "application/yaml")}
        return BlueprintCheck.parse(self._http.send("POST", "/blueprints/validate", files=files) or {})
