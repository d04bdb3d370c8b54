"""Charts as server-drawn SVG: a line and a strip of slots. Each shows title, unit, range, span and a table twin.

In: labelled values. Out: a SafeString `<figure class="chart">`, coloured by classes only, readable without script.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from operations.web.formatting import tone_of

WIDTH, HEIGHT = 400, 48
BOXES, BARS = 18, 32
FEWEST_SLOTS = 24  # two boxes shall not fill the card
_ids = count(1)


@dataclass(frozen=True)
class Point:
    """One value of a line chart; `tone` bad marks an outlier with a dot."""

    label: str
    value: float
    tone: str = ""


@dataclass(frozen=True)
class Slot:
    """One box of a strip: what it stands for and its status word; `share` of the height makes it a bar of `amount`."""

    label: str
    status: str
    tone: str = ""
    share: float = 1
    amount: str = ""


def sparkline(
    points: Sequence[Point], title: str, description: str, unit: str = "", least_span: float = 0
) -> SafeString:
    """A line over its points, with a soft area; two points or more, else only the sentence.

    `least_span`: the height stands for at least this part of the largest value, lest noise look like change.
    """
    if len(points) < 2:
        return format_html('<p class="hint">{}: {} Two values are needed to draw a line.</p>', title, description)
    places = _places(points, least_span)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = format_html_join(
        "",
        '<circle class="dot" cx="{}" cy="{}" r="3"/>',
        ((f"{x:.1f}", f"{y:.1f}") for (x, y), p in zip(places, points, strict=True) if p.tone),
    )
    drawing = format_html(
        '<polygon class="area" points="0,{} {} {},{}"/><polyline class="line" points="{}"/>{}',
        HEIGHT,
        line,
        WIDTH,
        HEIGHT,
        line,
        dots,
    )
    rows = [(p.label, f"{p.value:,.10g}{' ' + unit if unit else ''}") for p in points]
    low, high = min(p.value for p in points), max(p.value for p in points)
    reach = f"{low:,.4g} to {high:,.4g} {unit}".strip()
    return _figure(drawing, HEIGHT, title, description, ("When", "Value"), rows, reach)


def strip(slots: Sequence[Slot], title: str, description: str) -> SafeString:
    """A row of boxes, one a slot, oldest first."""
    if not slots:
        return format_html('<p class="hint">{}</p>', description or "No slots yet.")
    step = WIDTH / max(len(slots), FEWEST_SLOTS)
    gap = min(4.0, step * 0.28)
    tall = BARS if any(s.amount for s in slots) else BOXES
    heights = [max(tall * s.share, 2) for s in slots]
    boxes = format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}: {}</title></rect>',
        (
            (
                s.tone or tone_of(s.status),
                f"{i * step:.2f}",
                f"{tall - height:.1f}",
                f"{step - gap:.2f}",
                f"{height:.1f}",
                s.label,
                " · ".join(filter(None, (s.status, s.amount))),
            )
            for i, (s, height) in enumerate(zip(slots, heights, strict=True))
        ),
    )
    head = ("Slot", "Status", "Amount") if tall == BARS else ("Slot", "Status")
    rows = [(s.label, s.status, s.amount)[: len(head)] for s in slots]
    return _figure(boxes, tall, title, description, head, rows)


def _places(points: Sequence[Point], least_span: float) -> list[tuple[float, float]]:
    low, high = min(p.value for p in points), max(p.value for p in points)
    span = max(high - low, high * least_span) or 1.0
    floor = max(0.0, low - (span - (high - low)) / 2) if least_span else low
    step = WIDTH / (len(points) - 1)
    return [(i * step, HEIGHT - 6 - (p.value - floor) / span * (HEIGHT - 12)) for i, p in enumerate(points)]


def _figure(
    drawing: SafeString,
    height: int,
    title: str,
    description: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    reach: str = "",
) -> SafeString:
    """Below the drawing its span, from the first label to the last, and between them the `reach` of its values."""
    name = f"chart-{next(_ids)}"
    return format_html(
        '<figure class="chart"><svg viewBox="0 0 {} {}" role="img" aria-labelledby="{n}-t {n}-d"'
        ' preserveAspectRatio="none">'
        '<title id="{n}-t">{}</title><desc id="{n}-d">{}</desc>{}</svg>'
        '<p class="axis"><span>{}</span><span>{}</span><span>{}</span></p>'
        "<figcaption><strong>{}</strong> {}</figcaption>"
        "<details><summary>As a table</summary>{}</details></figure>",
        *(WIDTH, height, title, description, drawing),
        *(rows[0][0], reach, rows[-1][0] if len(rows) > 1 else ""),
        *(title, description, twin(head, rows)),
        n=name,
    )


def twin(head: Sequence[str], rows: Sequence[Sequence[str]]) -> SafeString:
    """The same facts as a table, for whoever does not see the drawing."""
    titles = format_html_join("", '<th scope="col">{}</th>', ((word,) for word in head))
    cells = (format_html_join("", '<td data-label="{}">{}</td>', zip(head, row, strict=True)) for row in rows)
    body = format_html_join("", "<tr>{}</tr>", ((row,) for row in cells))
    return format_html('<table class="table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', titles, body)
