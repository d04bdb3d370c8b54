"""Whose services they are: people alone, or workspaces with their members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from providers.http.part import Part
from providers.http.shapes import needed, part, rows, text, thing
from providers.render.paging import at, things


@dataclass(frozen=True)
class Owner:
    id: str
    name: str
    email: str = ""
    type: str = ""


@dataclass(frozen=True)
class Member:
    name: str
    email: str
    role: str
    mfa: bool

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        name, email, role = (str(data.get(key) or "") for key in ("name", "email", "role"))
        return cls(name, email, role, data.get("mfaEnabled") is True)


class Owners(Part):
    def list(self) -> Iterator[Owner]:
        for data in things(self._http, "/owners", "owner"):
            yield Owner(needed(data, "id"), *(text(data.get(key)) for key in ("name", "email", "type")))

    def me(self) -> str:
        """The mail address of whoever the key belongs to; empty where Render tells none."""
        return text(thing(self._http.get("/users")).get("email"))

    def members(self, owner: str) -> Sequence[Member]:
        """Everybody in a workspace, with Render's own word for their role, also one that we do not know."""
        answer = self._http.get(at("owners", owner, "members"))
        return [Member.parse(part(data)) for data in rows(answer)]
