"""Every page, light and dark, five widths: no CSP violation, console error, overflow, hanging card, axe violation."""

from __future__ import annotations

import os
from pathlib import Path
from zlib import crc32

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests import sampling, skips
from tests.browser.conftest import LISTEN, Site, Watched, watch
from tests.browser.layout import WIDTHS, misplaced
from tests.browser.pages import PageUrl, pages

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
AXE = Axe()
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations"],
    "preload": False,
}
PICTURES = os.environ.get("PICTURES", "")
LARGEST_HTML = 100_000


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("name", "url"), pages(), ids=[name for name, _ in pages()])
def test_page(name: str, url: PageUrl, site: Site, page: Watched) -> None:
    address = url()
    skips.unless(bool(address), f"{name}: no such page, or the factories make no row to open")
    page.errors.clear()
    page.page.emulate_media(color_scheme="light")
    page.page.set_viewport_size({"width": WIDTHS[0], "height": 900})

    answer = page.page.goto(site.url + address, wait_until="load")

    assert answer is not None
    assert answer.status == (404 if name == "not found" else 200)
    assert len(answer.body()) < LARGEST_HTML
    problems = [problem for width in WIDTHS for problem in _at(page, name, width)]
    noise = ["404 (Not Found)"] if name == "not found" else []
    problems += [error for error in page.errors if not any(word in error for word in noise)] + page.violations()
    assert not problems, "\n".join(problems)


def test_sign_in_page(site: Site, browser: Browser) -> None:
    context = browser.new_context(reduced_motion="reduce")
    context.add_init_script(LISTEN)
    page = watch(context.new_page())
    page.page.goto(site.url + "/admin/login/", wait_until="load")

    problems = [problem for width in WIDTHS for problem in _at(page, "sign in", width)]

    assert problems + page.errors + page.violations() == []
    context.close()


def _at(page: Watched, name: str, width: int) -> list[str]:
    page.page.set_viewport_size({"width": width, "height": 900})
    problems = misplaced(page, width)
    for scheme in _schemes(name, width):
        page.page.emulate_media(color_scheme=scheme)
        _picture(page, f"{name}-{width}-{scheme}")
        if sampling.WHOLE or PICTURES or width == (WIDTHS[0], WIDTHS[-1])[sampling.chosen(name, 2)]:
            problems += [f"{width} {scheme}: {line}" for line in _axe(page)]
    page.page.emulate_media(color_scheme="light")
    return problems


def _schemes(name: str, width: int) -> tuple[str, ...]:
    """Both themes in a soak or for pictures; else one each: a page is light at one width and dark at the other."""
    if sampling.WHOLE or PICTURES:
        return ("light", "dark")
    return ("dark",) if (crc32(name.encode()) + width) % 4 >= 2 else ("light",)


def _axe(page: Watched) -> list[str]:
    if not page.page.evaluate("Boolean(window.axe)"):
        page.page.evaluate(AXE.axe_script)
    violations = page.page.evaluate("(options) => axe.run(options).then((results) => results.violations)", RULES)
    return [
        f"{v['id']}: {node['target']} {node['failureSummary'][:160]!r}" for v in violations for node in v["nodes"][:4]
    ]


def _picture(page: Watched, name: str) -> None:
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.page.screenshot(path=f"{PICTURES}/{name.replace(' ', '_').replace('.', '_')}.png", full_page=True)
