"""`{% load ops %}`: badges, times, sizes, durations, commands and empty states for templates.

In: values from views. Out: the markup of `operations.web.formatting`; only `form_key` reads the database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from operations import navigation
from operations.authority import holds_somewhere
from operations.models import Environment
from operations.web import formatting, verbs
from operations.web.form_key import NAME, key_of
from operations.web.operation_page import named

register = template.Library()
register.filter("when", formatting.when)
register.filter("exactly", formatting.exactly)
register.filter("size", formatting.size)
register.filter("duration", formatting.duration)
register.filter("number", formatting.number)
register.filter("named", named)
register.filter("tone", formatting.tone_of)
register.simple_tag(formatting.badge, name="badge")
STEP_TONES = {"succeeded": "ok", "running": "run", "failed": "bad"}
_CELL = re.compile(r"^<(t[dh])\b")


register.filter("may_somewhere", holds_somewhere)


@register.simple_tag(takes_context=True)
def form_key(context: Context, name: str = "", many: bool = False, tabs: bool = True) -> SafeString:
    """The field that makes a form one of a kind; `name` tells the forms of one page apart."""
    return format_html('<input type="hidden" name="{}" value="{}">', NAME, key_of(context["request"], name, many, tabs))


@register.filter
def mails(text: str) -> SafeString:
    """Where there is no room a mail address breaks behind its @ and nowhere else."""
    return mark_safe(escape(text).replace("@", "@<wbr>"))  # noqa: S308 (escaped)


@register.filter
def words(name: str) -> str:
    """A step's or a field's name for people: maintenance_on is Maintenance on; the act that it names first stays."""
    act, colon, own = name.rpartition(": ")
    said = own.replace("_", " ")
    return f"{act}{colon}{said}" if act else said.capitalize()


@register.filter
def runbook(environment: Environment, service: str) -> str:
    """The address of what to do when this service fails."""
    return environment.runbook(service)


@register.filter
def step_tone(status: str) -> str:
    """The class of a step that began; one that waits or was skipped has none."""
    return STEP_TONES.get(status, "")


@register.simple_tag
def request_command(kind: str, environment: str, **parameters: object) -> str:
    """The shell's twin of a request; a parameter without a value is left out."""
    sets = [f"--set {name}={value}" for name, value in parameters.items() if value]
    return " ".join(["sampelit-ops request", kind, "--environment", environment, *sets, "--reason …"])


@register.simple_tag(takes_context=True)
def asking(context: Context, kind: str, environment: Environment | None, label: str, *args: str, **given: str) -> str:
    """The button that leads to a kind's confirmation page. `args`: its style; `given`: fields of that page."""
    return way(context, verbs.asking(context["request"].user, kind, environment, label, *args, **given))


@register.simple_tag(takes_context=True)
def way(context: Context, verb: verbs.Verb) -> str:
    """One button; disabled with its reason, which a page says once where it is seen, and once in each `fold`."""
    known = context["request"].__dict__.setdefault("reasons_told", set())
    told = verb.why_not not in known
    known.add(verb.why_not)
    return render_to_string("admin/operations/asking.html", {"verb": verb, "told": told})


class Fold(template.Node):
    """What stands in a closed <details>: a reason that is told there is told again outside."""

    def __init__(self, inside: template.NodeList) -> None:
        self.inside = inside

    def render(self, context: Context) -> SafeString:
        known = context["request"].__dict__.setdefault("reasons_told", set())
        seen = set(known)
        try:
            return self.inside.render(context)
        finally:
            known &= seen


@register.tag
def fold(parser: template.base.Parser, _: template.base.Token) -> Fold:
    inside = parser.parse(["endfold"])
    parser.delete_first_token()
    return Fold(inside)


@register.simple_block_tag
def empty_state(content: str, title: str, url: str = "", label: str = "Start here", command: str = "") -> SafeString:
    """A list with nothing in it teaches: what it is, why it is empty (the block), the next step and its CLI twin."""
    context = {"title": title, "text": content, "url": url, "label": label, "command": command}
    return render_to_string("admin/includes/empty_state.html", context)


@register.inclusion_tag("admin/includes/empty_state.html", takes_context=True)
def list_is_empty(context: Context) -> dict[str, str]:
    """The empty state of a change list, from its ModelAdmin's `empty_title`, `empty_text`, `empty_command`."""
    changelist = context["cl"]
    admin, plural = changelist.model_admin, changelist.opts.verbose_name_plural
    if changelist.has_active_filters or changelist.query:
        return {
            "title": f"No {plural} match",
            "text": "Nothing fits this search and these filters.",
            "url": "?",
            "label": "Clear them",
        }
    title = getattr(admin, "empty_title", "") or f"No {plural} yet"
    text = getattr(admin, "empty_text", "") or f"Here every one of the {plural} will be listed as soon as there is one."
    return {"title": title, "text": text, "command": getattr(admin, "empty_command", "")}


@register.filter
def labelled(cells: Iterable[str], headers: list[dict[str, Any]]) -> list[SafeString]:
    """Give each cell of a change list its column's name, which the narrow layout shows in front of the value."""
    texts = [_heading(header) for header in headers]
    pairs = zip(texts, cells, strict=False)
    return [mark_safe(_CELL.sub(rf'<\1 data-label="{text}"', str(cell).strip(), count=1)) for text, cell in pairs]  # noqa: S308


@register.simple_tag
def selected_choice(choices: Iterable[dict[str, Any]]) -> str:
    """The chosen value of a list filter; nothing when it is the first choice, which means all."""
    return next((str(c["display"]) for i, c in enumerate(choices) if c["selected"] and i), "")


@register.simple_tag
def timeline_of(row: Any) -> str:
    """The ledger's entries that name this row; empty where there is no such list."""
    base = navigation.page("admin:ledger_entry_changelist")
    return f"{base}?{urlencode({'q': row.pk})}" if base and row is not None else ""


@register.simple_tag(takes_context=True)
def here(context: Context) -> Environment | None:
    """The environment that this page is about: its own, or the one of the row that it shows; most pages have none."""
    for name in ("environment", "operation", "service", "run", "row", "original"):
        found = context.get(name)
        found = found if isinstance(found, Environment) else getattr(found, "environment", None)
        if isinstance(found, Environment):
            return found
    return None


def _heading(header: dict[str, Any]) -> str:
    text = str(header.get("text", ""))
    return "" if "<" in text else escape(text[:1].upper() + text[1:]).replace("\\", "")
