"""Every page within twelve queries, frame included (the first request of a session writes it and does not count)."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from operations.models import Environment, RoleGrant
from tests import factories, sampling
from tests.browser.pages import pages

MOST = 12
ROWS = {"search", "request catalogue", "migration status", "backup layers", "deployments.edgesecret list"}
PLACES, NAMED = 4, 6  # one look a place, and one a permission of the page
REVIEW, MORE = "/admin/migrations_registry/migrationfile/", 1  # its rehearsal, beside everything that a vote needs
pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(client: Client) -> Client:
    factories.world()
    person = factories.person("vera", is_superuser=False)
    person.groups.set(Group.objects.filter(name="Auditor"))
    client.force_login(person)
    client.get("/admin/password_change/")
    return client


def test_pages_stay_within_their_queries(auditor: Client) -> None:
    asked = sampling.share([address for _, url in pages() if (address := url())], 4)

    heavy = [address for address in asked if len(_queries(auditor, address)) > _most(address)]
    # What a process reads once (content types, after another test emptied them) is no page's.
    again = {address: queries for address in heavy if len(queries := _queries(auditor, address)) > _most(address)}

    assert not again, "\n\n".join(f"{name}: {len(queries)}\n" + "\n".join(queries) for name, queries in again.items())


def test_a_page_asks_no_more_for_whose_roles_are_of_one_environment_each(client: Client) -> None:
    """Of environments whose databases are known: each act asks which others lead to the same one."""
    factories.world()
    for number, place in enumerate(Environment.objects.all(), 1):
        facts = {"system_identifier": str(number), "database_oid": number, "database_name": "postgres"}
        Environment.objects.filter(pk=place.pk).update(**facts)
    operator, asked = Group.objects.get(name="Operator"), dict[str, list[int]]()
    for name in ("everywhere", "each"):
        person = factories.person(name, is_superuser=False)
        person.groups.clear()
        if name == "everywhere":
            person.groups.add(operator)
        for place in Environment.objects.all() if name == "each" else ():
            RoleGrant.objects.create(person=person, role=operator, environment=place)
        client.force_login(person)
        client.get("/admin/password_change/")
        for address in (address for page, url in pages() if page in ROWS and (address := url())):
            asked.setdefault(address, []).append(len(_queries(client, address)))

    assert len(asked) == len(ROWS)
    assert {address: both for address, both in asked.items() if both[1] > both[0] + PLACES + NAMED} == {}


def _most(address: str) -> int:
    return MOST + (MORE if address.startswith(REVIEW) and address != REVIEW else 0)


def _queries(client: Client, address: str) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        client.get(address)
    return [
        query["sql"][:160]
        for query in captured.captured_queries
        if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))
    ]
