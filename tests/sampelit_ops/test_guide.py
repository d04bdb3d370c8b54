"""The guide is true and readable in the portal: its commands parse, its menu is there, nothing is left raw."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import load_command_class
from django.core.management.base import CommandParser
from django.test import Client
from django.urls import reverse

from operations import navigation
from operations.engine import kinds
from sampelit_ops.command_line import APPS, as_managed, commands_of
from sampelit_ops.roles import ROLES
from sampelit_ops.site import guide
from tests import factories

FOLDER = Path(settings.BASE_DIR) / "docs" / "guide"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
COMMAND = re.compile(r"^sampelit-ops (.+)$", re.MULTILINE)
PLACE = re.compile(r"([A-Z]\w+) → ([A-Z][\w ]*\w)")


def commands() -> list[str]:
    return [line for text in PAGES.values() for line in COMMAND.findall(text)]


def parser_of(words: list[str]) -> tuple[CommandParser, list[str]]:
    name, *rest = as_managed(words)[1:]
    app = next(app for app in APPS if name == "ops" or name in commands_of(app))
    return load_command_class("operations" if name == "ops" else app, name).create_parser("sampelit-ops", name), rest


def test_each_role_has_a_page() -> None:
    assert {role.name.lower() for role in ROLES} <= set(PAGES)
    assert set(navigation.HELP.values()) <= set(PAGES)


def test_every_command_of_the_guide_is_understood() -> None:
    assert len(commands()) > 20

    for line in commands():
        words = shlex.split(line)
        parser, rest = parser_of(words)
        given = parser.parse_args(rest)
        if words[0] == "request":
            kind = kinds.registry.kinds[given.kind]
            known = {parameter.name: parameter.required for parameter in kind.parameters}
            named = {pair.partition("=")[0] for pair in given.values}
            assert named <= set(known), line
            assert {name for name, needed in known.items() if needed} <= named, line


def test_every_place_in_the_menu_that_it_names_is_there() -> None:
    there = {(link.group, link.label) for link in navigation._links.values()}
    named = {place for text in PAGES.values() for place in PLACE.findall(text) if place[0] in navigation.GROUPS}

    assert named
    assert sorted(named - there) == []


@pytest.mark.django_db
def test_every_page_is_whole_in_the_portal(client: Client) -> None:
    client.force_login(factories.person("root"))

    for name in PAGES:
        page = client.get(guide.address(name))
        body = page.text.partition('class="card guide">')[2].partition("</section>")[0]
        outside = re.sub(r"<pre.*?</pre>|<code>.*?</code>", "", body, flags=re.DOTALL)
        assert page.status_code == 200, name
        assert body.count("<h2>") == PAGES[name].count("\n## "), name
        assert [mark for mark in ("**", "](", "```", "##", " *", "| ") if mark in outside] == [], name
    assert client.get(reverse("admin:guide_page", args=["secrets"])).status_code == 404


@pytest.mark.django_db
def test_every_page_of_the_menu_leads_to_its_help(client: Client) -> None:
    client.force_login(factories.person("root"))

    for address, page in (("admin:approvals", "approver"), ("admin:doctor", "troubleshooting")):
        assert reverse("admin:guide_page", args=[page]) in client.get(reverse(address)).text


def test_markup_in_the_text_stays_text() -> None:
    made = guide.html("A <b>\n\n- one `<i>`\n  goes on\n- two\n\n| a | b |\n|---|---|\n| **x** | [y](viewer.md) |")

    assert made.startswith("<p>A &lt;b&gt;</p><ul><li>one <code>&lt;i&gt;</code> goes on</li><li>two</li></ul>")
    assert '<td data-label="a"><strong>x</strong></td>' in made
    assert '<a href="/admin/guide/viewer/">y</a>' in made
