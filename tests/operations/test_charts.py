"""A chart says in words what it shows: title, unit, the reach of its values, its span; and has a table of the same."""

from __future__ import annotations

import re

from operations.web.charts import Point, Slot, sparkline, strip


def test_a_line_shows_title_reach_with_unit_and_span() -> None:
    text = sparkline([Point("1 Nov", 1.5), Point("9 Nov", 4)], "Stored size", "Of two runs.", "MB")

    assert '<p class="axis"><span>1 Nov</span><span>1.5 to 4 MB</span><span>9 Nov</span></p>' in text
    assert "<figcaption><strong>Stored size</strong> Of two runs.</figcaption>" in text
    assert re.findall(r"<td[^>]*>([^<]+)", text) == ["1 Nov", "1.5 MB", "9 Nov", "4 MB"]


def test_bars_are_as_high_as_their_share_and_stand_on_one_ground() -> None:
    slots = [Slot("a", "proven", share=1, amount="4 MB"), Slot("b", "failed", share=0.25, amount="1 MB")]

    text = strip(slots, "Size", "Two runs.")

    boxes = re.findall(r'y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', text)
    assert [float(y) + float(height) for y, height in boxes] == [32, 32]
    assert [float(height) for _, height in boxes] == [32, 8]
    assert "<title>b: failed · 1 MB</title>" in text
    assert re.findall(r"<td[^>]*>([^<]+)", text) == ["a", "proven", "4 MB", "b", "failed", "1 MB"]


def test_boxes_have_no_amount_and_no_column_for_it() -> None:
    text = strip([Slot("a", "proven")], "Slots", "One slot.")

    assert "Amount" not in text
    assert '<p class="axis"><span>a</span><span></span><span></span></p>' in text
