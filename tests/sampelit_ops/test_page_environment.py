"""Which environment a page is about: never another in the place of one that there is not; a form offers only those of
which its reader may ask."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from migrations_registry.models import MigrationFile
from operations.engine import kinds
from operations.models import Environment, RoleGrant
from sampelit_ops.roles import ROLES, sync_roles
from tests import factories
from tests.people import holder

pytestmark = pytest.mark.django_db
PAGES = ("admin:backups_coverage", "admin:backups_layers", "admin:connect")


@pytest.fixture
def world() -> factories.World:
    sync_roles()
    return factories.world()


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def here() -> Iterator[str]:
    """Every page that takes an environment from its address."""
    yield from map(reverse, PAGES)
    yield reverse("admin:operations_request", args=["deployments.deploy"])
    yield reverse(
        "admin:migrations_registry_migrationfile_change", args=[MigrationFile.objects.values_list("pk", flat=True)[0]]
    )


@pytest.mark.parametrize("slug", ["nowhere", "PRODUCTION", "production ", "1", "../production", "é" * 300])
def test_no_page_shows_another_environment_for_one_that_there_is_not(world: factories.World, slug: str) -> None:
    client = client_of(User.objects.create_superuser("root", password="x"))
    for url in here():
        assert client.get(url).status_code == 200, url
        assert client.get(url, {"environment": slug}).status_code == 404, url


def offered(html: str) -> set[str]:
    (select,) = re.findall(
        r'<select name="environment".*?</select>|<select id="\w+-environment".*?</select>', html, re.S
    )
    return set(re.findall(r'<option value="([^"]*)"', select))


@pytest.mark.parametrize("role", [role.name for role in ROLES])
def test_a_form_offers_where_its_reader_may_ask(world: factories.World, role: str) -> None:
    """A role on staging alone; beside it the page may name one where it is not held, with the reason."""
    staging, _ = Environment.objects.get_or_create(slug="staging", defaults={"name": "Staging", "kind": "staging"})
    person = holder(role.lower() + "-there")
    person.groups.add(Group.objects.get(name="Viewer"))
    RoleGrant.objects.create(person=person, role=Group.objects.get(name=role), environment=staging)
    client = client_of(User.objects.get(pk=person.pk))

    for kind in kinds.registry.kinds.values():
        if kind.for_anywhere(person) and not kind.everywhere:
            url = reverse("admin:operations_request", args=[kind.name])
            assert offered(client.get(url).text) == {"staging"}, kind.name
            named = client.get(url, {"environment": "production"}).text
            assert offered(named) == {"staging", "production"}
            assert "You may act on staging, not on" in named
    for page in ("admin:backups_evidencereport_changelist", "admin:backups_decision"):
        if kinds.registry.kinds["backups.evidence"].for_anywhere(person):
            assert offered(client.get(reverse(page)).text) == {"staging"}


def test_the_trace_that_was_asked_for_is_shown_or_none(world: factories.World) -> None:
    client = client_of(User.objects.create_superuser("root", password="x"))

    assert client.get(reverse("admin:backups_decision"), {"operation": "01NONE"}).status_code == 404
