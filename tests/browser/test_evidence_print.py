"""The evidence report on paper: one page format, nothing cut off, whole rows, named columns, every alphabet."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from backups.evidence import html
from backups.evidence.sections import Section

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

A4_TEXT = {"width": 673, "height": 980}  # 178 mm of A4 between the margins, in CSS pixels
NAMES = ("Łukasz Żółć", "東京 太郎", "Ольга Петрова", "אורית כהן")
HEAD = ("Opened", "What", "Status", "Resolved", "Reason")
LONG_LINK = "https://example.org/" + "segment-" * 40


def _document(*rows: tuple[str, ...]) -> str:
    body = html._section(Section("Incidents", ("What was seen.",), HEAD, rows))
    return f'<!doctype html><meta charset="utf-8"><style>{html.STYLE}</style><main>{body}</main>'


@pytest.fixture
def paper(browser: Browser) -> Page:
    page = browser.new_page(viewport=A4_TEXT)
    page.emulate_media(media="print")
    return page


def test_links_digests_and_foreign_names_stay_within_the_page(paper: Page) -> None:
    rows = tuple(("2026-03-02 10:00", LONG_LINK, "resolved", f"{name} 2026-03-04 08:00", "f" * 64) for name in NAMES)

    paper.set_content(_document(*rows))

    root = paper.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert root[0] <= root[1]
    assert all(name in paper.inner_text("main") for name in NAMES)


def test_short_words_are_not_broken_beside_a_long_reason(paper: Page) -> None:
    paper.set_content(_document(("2026-03-02 10:00", "altered for testing", "resolved", "operator", "because " * 4000)))

    lines = paper.evaluate("""() => {
        const cell = document.querySelectorAll("td")[1], range = document.createRange();
        range.setStart(cell.firstChild, 0);
        range.setEnd(cell.firstChild, "altered".length);
        return range.getClientRects().length;
    }""")

    assert lines == 1, "lines of one word"


def test_a_row_stays_whole_and_every_page_names_the_columns(paper: Page) -> None:
    paper.set_content(_document(("2026-03-02 10:00", "audit altered", "resolved", "olga", "because")))

    style = "name => getComputedStyle(document.querySelector(name))"
    assert paper.evaluate(f"({style})('tr').breakInside") == "avoid"
    assert paper.evaluate(f"({style})('thead').display") == "table-header-group"
    assert paper.evaluate(f"({style})('h2').breakAfter") == "avoid"


def test_it_prints_on_a4_and_a_reason_longer_than_a_page_runs_on(paper: Page) -> None:
    paper.set_content(_document(("2026-03-02 10:00", "audit altered", "resolved", "olga", "because " * 4000)))

    printed = paper.pdf(prefer_css_page_size=True)

    assert printed.count(b"/Type /Page\n") > 1
    assert b"/MediaBox [0 0 594" in printed or b"/MediaBox [0 0 595" in printed
