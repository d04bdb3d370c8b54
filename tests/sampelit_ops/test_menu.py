"""The menu has eight entries, each page stands below one as a tab; home lists the services of each environment."""

from __future__ import annotations

import re

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from operations import navigation
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def everything(client: Client) -> Client:
    factories.world()
    client.force_login(factories.person("root"))
    return client


def test_it_has_eight_entries_and_every_page_stands_below_one(everything: Client) -> None:
    text = everything.get(reverse("admin:index")).text
    menu = re.search(r'<nav class="nav-groups".*?</nav>', text, re.DOTALL)
    assert menu is not None

    entries = re.findall(r"<a[^>]*>\s*(\w+)", menu[0])

    assert entries == list(navigation.GROUPS)
    assert len(entries) == 8


def test_every_page_says_below_which_entry_it_stands_and_which_tab_it_is(everything: Client) -> None:
    request = RequestFactory().get("/")
    request.user = factories.person("again")

    for group in navigation.groups(request):
        for link in group.links:
            menu, _, rest = everything.get(link.url, follow=True).text.partition("</nav>")
            assert re.search(rf'aria-current="(page|true)"\s*>\s*{group.name}', menu), link.label
            tabs = re.search(r'<nav class="tabs".*?</nav>', rest, re.DOTALL)
            assert (tabs is None) == (len(group.links) == 1), link.label
            assert tabs is None or re.search(rf'aria-current="page"\s*>\s*{link.label}', tabs[0]), link.label


def test_home_lists_the_services_of_each_environment(everything: Client) -> None:
    text = everything.get(reverse("admin:index")).text
    table = re.search(r'<table class="table keep services">.*?</table>', text, re.DOTALL)
    assert table is not None

    assert [word in table[0] for word in ("Production", "sampelit-api")] == [True, True]
