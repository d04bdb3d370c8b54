"""Render as it may be at its worst: a small world that answers its lists empty, partial, old, mis-shaped or not at all.

In: a seeded chance. Out: a client for `poll`, what there truly is, and when each service was truthfully or falsely 404.
"""

from __future__ import annotations

import random
from copy import deepcopy
from datetime import datetime
from typing import Any, cast

from django.utils import timezone

from deployments.models.deployment import Status
from providers.http.api_client import JsonClient
from providers.http.errors import NotFound, Unavailable
from providers.render import Render
from providers.render.deploys import Deploys
from providers.render.observe import Events
from providers.render.services import Services

WORDS = [*Status.values, "artifact_fetch_failed", "hibernating"]
ODD_LISTS: list[Any] = [[], None, {}, {"services": []}, "maintenance", 5, True, [None], [[]], [{}], [{"service": None}]]
ODD_ROWS: list[Any] = [None, {}, {"name": "nameless"}, {"id": None, "name": "x"}, {"id": "", "name": 7}, "text", 7]
ODD_THINGS: list[Any] = [None, {}, [], {"id": "srv-other"}, {"service": {"id": "x"}}, "text"]


def service_answer(key: str, name: str, **more: Any) -> dict[str, Any]:
    """All that the specification requires of a service's states."""
    states = {"suspended": "not_suspended", "autoDeploy": "no", "serviceDetails": {"url": "https://a.example"}}
    return {"id": key, "name": name, "type": "web_service", **states, **more}


class StrangeHttp:
    """Answers reads as `JsonClient` would."""

    provider = "Render"

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.oddness = chance, 0.4
        self.services: dict[str, dict[str, Any]] = {}
        self.deploys: dict[str, list[dict[str, Any]]] = {}
        self.missed: dict[str, list[datetime]] = {}
        self._made = 0

    def client(self) -> Render:
        render, http = Render("key", "http://127.0.0.1:9"), cast(JsonClient, self)
        render.services, render.deploys, render.events = Services(http), Deploys(http), Events(http)
        return render

    def get(self, path: str, params: object = None, *, deadline: float | None = None) -> Any:
        if self._odd(0.2):
            raise Unavailable("Render failed.")
        pieces = path.strip("/").split("/")
        if len(pieces) == 1:
            return self._list([{"cursor": key, "service": self._shown(row)} for key, row in self.services.items()])
        return self._about(pieces[1], pieces[2:])

    def _about(self, service: str, rest: list[str]) -> Any:
        if service not in self.services or self._odd(0.3):
            if not rest:
                self.missed.setdefault(service, []).append(timezone.now())
            raise NotFound("Render does not know it.")
        if not rest:
            answer = self.chance.choice(ODD_THINGS) if self._odd(0.5) else self._whole(self.services[service])
            if isinstance(answer, dict) and answer.get("id") == service:
                self.missed.pop(service, None)
            return answer
        if rest[0] == "events":
            return []
        rows = [self._seen(row) for row in reversed(self.deploys[service])]
        if rest[1:]:
            return next(row for row in rows if row["id"] == rest[1])
        return self._list([{"cursor": row["id"], "deploy": row} for row in rows])

    def _whole(self, row: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in deepcopy(row).items() if key != "before"}

    def _shown(self, row: dict[str, Any]) -> dict[str, Any]:
        """A service as a page shows it: as it was, or without something that every answer has."""
        row = self._whole(self.chance.choice(row["before"]) if row.get("before") and self._odd(0.5) else row)
        if self._odd(0.3):
            row.pop(self.chance.choice(["suspended", "autoDeploy", "serviceDetails"]), None)
        return row

    def _seen(self, row: dict[str, Any]) -> dict[str, Any]:
        """A deploy as it is, or as an old page still shows it."""
        return deepcopy(self.chance.choice(row["before"]) if row["before"] and self._odd(0.5) else row)

    def _list(self, items: list[Any]) -> Any:
        items = deepcopy(items)
        if self._odd(0.3):
            return self.chance.choice(ODD_LISTS)
        if self._odd(0.5):
            items = self.chance.sample(items, self.chance.randint(0, len(items)))
        if self._odd(0.5):
            items.insert(0, self.chance.choice(ODD_ROWS))
        if self._odd(0.3) and items and isinstance(items[0], dict):
            for name, other in (("deploy", {"status": "live"}), ("service", {"suspended": "suspended"})):
                if isinstance(items[0].get(name), dict):
                    items.append({**items[0], name: {**items[0][name], **other}})
        if self._odd(0.2) and items and isinstance(items[-1], dict):
            items[-1].pop("cursor", None)
        return items

    def _odd(self, part: float) -> bool:
        return self.chance.random() < self.oddness * part

    def happen(self) -> None:
        """Something changes at Render."""
        moves = [self._move] * 3
        self.chance.choice([self._appear, self._ship, self._ship, *moves, self._vanish, self._switch, self._rewrite])()

    def _appear(self) -> None:
        if len(self.services) < 4:
            self._made += 1
            key = f"srv-{self._made}"
            self.services[key] = service_answer(
                key, f"api-{self._made}", updatedAt=timezone.now().isoformat(), before=[]
            )
            self.deploys[key] = []

    def _vanish(self) -> None:
        if len(self.services) > 1 and self.chance.random() < 0.3:
            del self.services[self.chance.choice(list(self.services))]

    def _ship(self) -> None:
        if self.services and len(rows := self.deploys[self.chance.choice(list(self.services))]) < 8:
            self._made += 1
            at = timezone.now().isoformat()
            commit = {"id": f"{self._made:040x}", "message": "m\0 \ud800" if self.chance.random() < 0.1 else "message"}
            new = {"id": f"dep-{self._made}", "status": "created", "createdAt": at, "updatedAt": at, "commit": commit}
            rows.append(new | {"before": []})

    def _move(self) -> None:
        rows = [row for key in self.services for row in self.deploys[key]]
        if rows:
            row = self.chance.choice(rows)
            self._change(row, {"status": self.chance.choice(WORDS)})

    def _rewrite(self) -> None:
        """The same deploy runs something else."""
        if rows := [row for key in self.services for row in self.deploys[key]]:
            self._made += 1
            self._change(self.chance.choice(rows), {"commit": {"id": f"{self._made:040x}", "message": "other"}})

    def _switch(self) -> None:
        if self.services:
            row = self.chance.choice(list(self.services.values()))
            other = {"suspended": {"not_suspended": "suspended"}.get(row["suspended"], "not_suspended")}
            self._change(row, self.chance.choice([other, {"branch": self.chance.choice("abc")}]))

    def _change(self, row: dict[str, Any], new: dict[str, Any]) -> None:
        """Its time moves with it, or not."""
        row["before"].append({**deepcopy(row), "before": []})
        row |= new | ({"updatedAt": timezone.now().isoformat()} if self.chance.random() < 0.7 else {})
