"""The cards of the home page. Apps register a function each in AppConfig.ready; the home page asks them in order.

In: the request. Out: `Panel`s. A panel that fails becomes a red card that says so; it never takes the page down.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.http import HttpRequest
from django.utils.safestring import SafeString

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Panel:
    """One question answered: `title` asks, `answer` is the large line, `badge` and `detail` explain, `url` leads on.
    `runbook` is the address of what to do, beside what needs somebody."""

    title: str
    answer: str
    tone: str = "idle"
    badge: str = ""
    detail: str = ""
    url: str = ""
    runbook: str = ""


@dataclass(frozen=True)
class Widget:
    """A card in the right column of the home page: a title and ready markup, usually a chart of `web.html`."""

    title: str
    body: SafeString


PanelSource = Callable[[HttpRequest], Panel | None]
WidgetSource = Callable[[HttpRequest], Widget | None]
Source = TypeVar("Source", bound=Callable[..., object])
Answer = TypeVar("Answer")
_panels: list[tuple[int, PanelSource]] = []
_widgets: list[tuple[int, WidgetSource]] = []


def register(order: int, fn: PanelSource) -> None:
    """Add a panel; smaller `order` comes first. Registering the same function twice keeps one."""
    _add(_panels, order, fn)


def register_widget(order: int, fn: WidgetSource) -> None:
    """Add a card to the right column of the home page."""
    _add(_widgets, order, fn)


def collect(request: HttpRequest) -> list[Panel]:
    """Every panel that has something to say, in order."""
    return [panel for _, fn in _panels if (panel := _ask(fn, request, _failed)) is not None]


def collect_widgets(request: HttpRequest) -> list[Widget]:
    """Every widget that has something to show, in order."""
    return [widget for _, fn in _widgets if (widget := _ask(fn, request, lambda _: None)) is not None]


def _add(registry: list[tuple[int, Source]], order: int, fn: Source) -> None:
    if all(known is not fn for _, known in registry):
        registry.append((order, fn))
        registry.sort(key=lambda pair: pair[0])


def _ask(
    fn: Callable[[HttpRequest], Answer | None], request: HttpRequest, failed: Callable[[str], Answer | None]
) -> Answer | None:
    try:
        return fn(request)
    except Exception:
        logger.exception("home panel %s failed", fn.__qualname__)
        return failed(fn.__name__)


def _failed(name: str) -> Panel:
    return Panel(
        name.replace("_", " ").capitalize(),
        "Could not be read",
        "bad",
        detail="The log has the reason. Nothing was changed.",
    )
