"""What people can send: the forms of a page, read from its HTML, and the parameters that the code asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from django.contrib import admin

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("operations", "deployments", "backups", "migrations_registry", "sampelit_ops", "ledger")
LOOKUPS = ("", "__exact", "__in", "__isnull", "__gte", "__id__exact")
ASKED = re.compile(r"(?:GET|POST|asked)(?:\.get|\.getlist)?[(\[]\"(\w+)\"")


@dataclass
class Form:
    """One form: where it goes, and the names of its fields; which of them take a file."""

    action: str
    names: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)


class _Reader(HTMLParser):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path, self.forms, self.loose = path, list[Form](), Form(path)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "form":
            self.forms.append(Form(urlsplit(urljoin(self.path, given.get("action") or self.path)).path))
        elif name := given.get("name") if tag in ("input", "select", "textarea", "button") else None:
            form = self.forms[-1] if self.forms else self.loose
            (form.files if given.get("type") == "file" else form.names).add(name)


def forms(path: str, html: str) -> list[Form]:
    """Every form of the page, and one of what stands outside of any."""
    reader = _Reader(path)
    reader.feed(html)
    return [*reader.forms, reader.loose]


@cache
def asked_names() -> frozenset[str]:
    """The parameters that pages ask for, Django's own, and what lists are filtered by."""
    found = {"q", "o", "p", "e", "all", "next", "_to_field", "_popup", "_changelist_filters", "period", "fragment"}
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            found |= set(ASKED.findall(path.read_text()))
    return frozenset(found | {"environment", "before", "version", "ordering", "run", "at", "commit", "service"})


def filters(path: str) -> set[str]:
    """The filters of the list at this address, with the lookups that a hand can write."""
    parts = path.strip("/").split("/")
    for model, owner in admin.site._registry.items():
        if parts == ["admin", model._meta.app_label, model._meta.model_name]:
            plain = {each for each in owner.list_filter if isinstance(each, str)}
            return {f"{name}{lookup}" for name in plain for lookup in LOOKUPS}
    return set()
