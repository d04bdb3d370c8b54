"""The home page: one sentence, the registered panels, the newest ledger entries, the registered charts.

In: the request. Out: the template's context. The sentence follows from the panels' tones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from deployments.web.home import places
from ledger import registry
from ledger.models import Entry
from migrations_registry.web.home import schemas
from operations import home_panels, navigation
from operations.home_panels import Panel
from operations.web.formatting import tone_of

FEED_LENGTH = 8
LOUD = ("bad", "warn")


@dataclass(frozen=True)
class FeedItem:
    """One line of a timeline: when, a status word, a sentence, who, where it leads."""

    at: datetime
    word: str
    tone: str
    sentence: str
    actor: str
    url: str = ""


def context(request: HttpRequest) -> dict[str, Any]:
    """Everything the home page shows."""
    shown, known = home_panels.collect(request), schemas(request)
    headline, lede = sentence(shown)
    return {
        **split(shown),
        "places": [(place, known.get(place.slug)) for place in places(request)],
        "headline": headline,
        "lede": lede,
        "feed": feed() if request.user.has_perm("ledger.view_entry") else [],
        "timeline_url": navigation.page("admin:ledger_entry_changelist"),
        "widgets": home_panels.collect_widgets(request),
    }


def split(shown: list[Panel]) -> dict[str, list[Panel]]:
    """What needs somebody, red first; and what is calm."""
    needs = sorted((panel for panel in shown if panel.tone in LOUD), key=lambda panel: LOUD.index(panel.tone))
    return {"needs": needs, "calm": [panel for panel in shown if panel.tone not in LOUD]}


def sentence(shown: list[Panel]) -> tuple[str, str]:
    """The headline and the line under it: red first, then amber, else calm. The first panel speaks about production."""
    if not shown:
        return "Welcome", "Nothing reports to this page yet."
    red, amber = [p for p in shown if p.tone == "bad"], [p for p in shown if p.tone == "warn"]
    headline = f"Production is {shown[0].answer.lower()}" if shown[0].title == "Health" else "Overview"
    if red:
        return (headline if red[0] is shown[0] else "Something needs you now"), _named(red)
    waits = f"{len(amber)} things to look at" if len(amber) > 1 else "One thing to look at"
    return headline, f"{waits}: {_lower(_named(amber))}" if amber else "Nothing needs you."


def feed() -> list[FeedItem]:
    """The newest entries of the ledger as sentences; who merely signed in is on the timeline page."""
    return [_item(entry) for entry in Entry.objects.exclude(code__startswith="signin.")[:FEED_LENGTH]]


def _item(entry: Entry) -> FeedItem:
    word = entry.code.rpartition(".")[2]
    return FeedItem(entry.at, word, tone_of(word), registry.sentence_for(entry), entry.actor)


def _named(shown: list[Panel]) -> str:
    sentence = "; ".join(
        ", ".join(filter(None, (f"{_lower(p.title)}: {_lower(p.answer)}", _lower(p.badge)))) for p in shown
    )
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
