"""Every list and page again with fifty rows and with names as long as they may be: nothing is wider than the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse

from tests.browser.conftest import Site, Watched
from tests.browser.layout import WIDTHS, misplaced
from tests.browser.pages import CUSTOM
from tests.factories_crowd import ROWS, crowd

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FEWER = {
    "operations.environment",
    "migrations_registry.driftincident",
    "migrations_registry.plan",
}  # one for each project, place, content
LABELS = sorted(model._meta.label_lower for model in admin.site._registry)
Crowd = dict[str, Any]


@pytest.fixture(scope="module")
def crowded(site: Site) -> Crowd:
    return crowd()


def test_fifty_rows_stand_in_every_list(crowded: Crowd) -> None:
    few = {m._meta.label_lower for m in admin.site._registry if m._default_manager.count() < ROWS}

    assert few == FEWER


@pytest.mark.sampled(3)
@pytest.mark.parametrize("label", LABELS)
def test_list_and_row(label: str, crowded: Crowd, site: Site, page: Watched) -> None:
    base = f"admin:{label.replace('.', '_')}"
    addresses = [reverse(f"{base}_changelist")]
    if crowded.get(label):
        addresses.append(reverse(f"{base}_change", args=[crowded[label]]))

    assert [line for address in addresses for line in _problems(page, site.url + address)] == []


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("name", "url"), CUSTOM, ids=[name for name, _ in CUSTOM])
def test_page(name: str, url: Callable[[], str], crowded: Crowd, site: Site, page: Watched) -> None:
    assert _problems(page, site.url + url()) == []


def _problems(page: Watched, address: str) -> list[str]:
    page.page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    page.page.goto(address, wait_until="load")
    problems = []
    for width in WIDTHS:
        page.page.set_viewport_size({"width": width, "height": 900})
        problems += [f"{address} {line}" for line in misplaced(page, width)]
    return problems
