"""Every kind has a preview that says in plain sentences what will happen and who votes; one without fails here."""

from __future__ import annotations

import html
import re
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings as of_house
from django.test import Client
from django.urls import reverse

from operations.engine import kinds
from operations.models import Environment
from tests import factories
from tests.factories_previews import ON_A_DATABASE, place_of, rows, values_of
from tests.migrations_registry.backfill.conftest import make_orders
from tests.sampelit_ops.test_named_things import bare_in

# What only a walk can make: the test that goes through its preview in a browser.
WALKED = {
    "migrations.path": "test_a_destructive_migration_is_applied_and_undone",
    "migrations.pause": "test_it_is_seen_paused_and_resumed",
    "migrations.undo": "test_a_destructive_migration_is_applied_and_undone",
}
KINDS = sorted(name for name in kinds.registry.kinds if name not in WALKED and not name.startswith("test."))
ENDS = re.compile(r"[.:]$|\d UTC|→|https:|curl|destroys data|half a minute")
ODD = re.compile(
    r"\b1 (?!(?:s|m|h|d|ms)\b)(?:[a-z]+ )?[a-z]+s\b(?! is)|\b1 are\b"
    r"|\bNone\b(?! (?:of|was))|\bTrue\b|\bFalse\b|\s,|\.\.$"
)


def preview_of(client: Client, name: str) -> str:
    kind = kinds.get(name)
    environment = place_of(kind)
    query = urlencode({"environment": environment.slug, **values_of(kind, environment)})
    return client.get(f"{reverse('admin:operations_request', args=[name])}?{query}").text


def sentences(page: str) -> list[str]:
    listed = re.search(r'<ul class="consequences">(.*?)</ul>', page, re.S)
    lines = re.findall(r"<li[^>]*>(.*?)</li>", listed[1], re.S) if listed else []
    return [html.unescape(re.sub(r"<[^>]+>", "", line)).strip() for line in lines]


def wrong_with(page: str) -> list[str]:
    """What a person would stumble over."""
    told = sentences(page)
    votes = re.search(r"needs \d vote|starts at once", page)
    refusal = re.search(r'<div class="note warn">(.*?)</div>', page, re.S)
    found = [] if told else [f"says nothing but {refusal[1].strip() if refusal else 'nothing'}"]
    found += [] if votes else ["does not say who votes"]
    found += [
        f"no sentence: {line}"
        for line in told
        if not re.search(r"[.:]$|\d UTC|→|https:|curl|destroys data|half a minute", line)
    ]
    found += [f"odd: {line}" for line in told if ODD.search(line)]
    return found + [f"bare: {text}" for text in bare_in(page)]


def test_every_walk_is_there() -> None:
    written = "".join(path.read_text() for path in Path(of_house.BASE_DIR, "tests").rglob("test_*.py"))

    assert [name for name in WALKED.values() if f"def {name}(" not in written] == []


@pytest.mark.django_db(transaction=True)
def test_every_kind_has_a_preview(
    client: Client, sampelit_copy: dict[str, str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(sampelit_copy, settings, monkeypatch)
    world = factories.world()
    rows(world.production)
    client.force_login(world.everything)

    wrong = {name: found for name in KINDS if (found := wrong_with(preview_of(client, name)))}

    assert not wrong, "\n".join(f"{name}: {found}" for name, found in wrong.items())
    assert len(KINDS) > 60
    assert set(ON_A_DATABASE) < set(KINDS)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["environments.change", "migrations.change_rules", "migrations.register"])
def test_an_empty_form_is_no_refusal(client: Client, name: str) -> None:
    client.force_login(factories.world().everything)

    page = client.get(f"{reverse('admin:operations_request', args=[name])}?environment=production").text

    assert "Fill in the form" in page
    assert "Nothing was requested" not in page


def given(sampelit_copy: dict[str, str], settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Supabase's token, and a database for the shops."""
    settings.SUPABASE_ACCESS_TOKEN = "a-token"
    for slug, purpose in product(ON_A_DATABASE.values(), ("migration", "export")):
        monkeypatch.setenv(Environment(slug=slug).variable(purpose), sampelit_copy[purpose])
    make_orders(sampelit_copy["admin"], 20)
