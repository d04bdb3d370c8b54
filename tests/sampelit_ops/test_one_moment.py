"""A page asks for the time once, and sees it pass only from page to page; whoever acts asks each time."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ledger.models import database_time, one_moment
from tests import factories
from tests.browser.pages import pages

pytestmark = pytest.mark.django_db


def test_inside_it_time_stands_and_outside_it_goes_on() -> None:
    with one_moment():
        first = database_time()
        with one_moment():
            inner = database_time()
        assert (database_time(), inner > first) == (first, True)

    assert database_time() > inner
    assert database_time() < database_time()


def test_no_page_asks_for_the_time_twice(client: Client) -> None:
    factories.world()
    client.force_login(User.objects.get(username="everything"))
    client.get("/admin/password_change/")
    asked = {}
    for name, address in ((name, url()) for name, url in pages()):
        if address:
            with CaptureQueriesContext(connection) as queries:
                client.get(address)
            asked[name] = sum(query["sql"] == "SELECT clock_timestamp()" for query in queries)

    assert {name for name, times in asked.items() if times > 1} == set()
    assert sum(asked.values()) > 0
