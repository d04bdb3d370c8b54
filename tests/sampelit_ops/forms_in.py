"""The forms of a page as a browser would send them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

Field = dict[str, str | None]


@dataclass
class Form:
    action: str
    name: str = ""
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.open: Form | None = None
        self.select = self.area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: Field = dict(attrs)
        if tag == "form":
            self.open = (
                Form(given.get("action") or "", given.get("id") or "") if given.get("method") == "post" else None
            )
            self.forms.extend([self.open] if self.open else [])
        elif self.open is not None:
            self._field(self.open, tag, given)

    def _field(self, form: Form, tag: str, given: Field) -> None:
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "input" and name and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            form.fields[name] = value
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and ("selected" in given or self.select not in form.fields):
            form.fields[self.select] = value
        elif tag == "textarea":
            self.area = name
            form.fields[name] = ""

    def handle_data(self, data: str) -> None:
        if self.area and self.open is not None:
            self.open.fields[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        self.select = "" if tag == "select" else self.select
        self.area = "" if tag == "textarea" else self.area


def forms_in(page: bytes) -> list[Form]:
    """Those that are sent by POST, with what they hold as shown."""
    reader = _Reader()
    reader.feed(page.decode())
    return reader.forms
