"""On no page does an id or a digest of ours stand where a name belongs; it stands as code, labelled, beside the name.

In: every page with the rows of `tests.factories.world()`. Out: the texts that show one bare.
"""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from django.test import Client

from backups.ledger_sentences import SENTENCES
from ledger import registry
from ledger.models import Entry
from operations.models.ulid import new_ulid
from tests import factories
from tests.browser.pages import pages

BARE = re.compile(r"\b(?:before-[0-9a-z]{26}|[0-9A-HJKMNP-TV-Z]{26}|[0-9a-f]{40}(?:[0-9a-f]{24})?)\b")
CODE = {"code", "pre", "script", "style", "textarea"}
SINGLE = {"br", "hr", "img", "input", "link", "meta", "wbr"}


class Texts(HTMLParser):
    """The texts of a page that hold something bare: neither marked as code nor shown by a record's raw field."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.bare: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in SINGLE:
            self.open.append((tag, f" {dict(attrs).get('class') or ''} "))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        raw = any(tag in CODE or " mono " in style or " readonly " in style for tag, style in self.open)
        if BARE.search(data) and (not raw or any(tag == "a" for tag, _ in self.open)):
            self.bare.append(" ".join(data.split())[:160])


def bare_in(html: str) -> list[str]:
    texts = Texts()
    texts.feed(html)
    return texts.bare


def test_what_is_looked_for_is_found() -> None:
    pk = new_ulid()
    html = f"<p>Run {pk}<br> <code>{pk}</code></p><dd class='mono wrap'>{pk}<a href='/'>before-{pk.lower()}</a></dd>"

    assert bare_in(html) == [f"Run {pk}", f"before-{pk.lower()}"]


@pytest.mark.django_db
def test_no_page_shows_a_bare_id(client: Client) -> None:
    client.force_login(factories.world().everything)

    bare = {name: found for name, url in pages() if url() and (found := bare_in(client.get(url()).text))}

    assert not bare, bare


@pytest.mark.django_db
def test_runs_and_filters_say_policies_as_people_do(client: Client) -> None:
    client.force_login(factories.world().everything)

    page = client.get("/admin/backups/run/").text
    narrowed = client.get("/admin/backups/run/?policy__name=restore-points").text

    policies, points = (set(re.findall(r"field-policy[^>]*>([^<]*)<", text)) for text in (page, narrowed))
    point = "production/Restore point of migration_03.sql"
    assert (policies, points) == ({"production/audit-trail", "production/whole-database", point}, {point})
    assert ("<summary>Policy</summary>" in page, "<summary>Name</summary>" in page) == (True, False)
    assert point not in client.get("/admin/backups/run/?policy__name=audit-trail").text


def test_no_sentence_about_a_run_tells_its_id() -> None:
    pk = new_ulid()
    names = {"policy": f"before-{pk.lower()}", "reason": "r", "target": "scratch", "object": f"runs/{pk}/m"}
    facts = names | dict.fromkeys(("rows", "bytes", "objects", "found", "mended"), 1)
    about_runs = [code for code, template in SENTENCES.items() if "{run}" in template or "{download}" in template]
    told = [
        registry.sentence_for(Entry(code=code, actor="ana", subject=pk, data=json.dumps(facts | named)))
        for code in about_runs
        for named in ({}, {"run_name": "audit-trail on production"})
    ]

    assert len(about_runs) > 9
    assert [text for text in told if BARE.search(text)] == []
