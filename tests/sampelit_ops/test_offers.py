"""No page offers what its reader may not ask for: every way to a request stands only before who may go it.

In: every page with the rows of `tests.factories.world()`, read by each role. Out: ways that would be refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.urls import resolve, reverse

from backups.models import Run
from operations.engine import kinds
from operations.engine.request import check_permission
from operations.models import Environment, RoleGrant
from operations.web.verbs import Verb
from sampelit_ops.roles import sync_roles
from tests import factories
from tests.browser.pages import pages

ROLES = ["Viewer", "Auditor", "Operator", "Approver", "Admin", "Operator@staging"]
FILLS_IN = {
    "backups.policy.export_selected": "backups.export",
    "deployments.deployment.roll_back": "deployments.rollback",
    "migrations_registry.migrationfile.apply": "migrations.apply",
}
OF_A_STORE = {"admin:backups_manifest"}  # a world of rows alone has none
PIECES = re.compile(r'(<details[^>]*>)|class="why"[^>]*>([^<]+)<|<button[^>]* disabled title="([^"]+)"|(</details>)')
ASKS = re.compile(r"^/admin/operations/operation/request/([a-z_.]+)/$")


class Ways(HTMLParser):
    """Links, and forms with a button that can be pressed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.links: list[str] = []
        self.form = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.form = given.get("action") or ""
        elif tag == "a":
            self.found.append(given.get("href") or "")
            self.links.append(given.get("href") or "")
        elif tag == "button" and "disabled" not in given:
            self.found.append(self.form)


def refused(ways: Ways, person: User) -> set[str]:
    found = set()
    for address in ways.found:
        parts = urlsplit(address)
        asked = ASKS.match(parts.path)
        if asked is None:
            continue
        slug = parse_qs(parts.query).get("environment", [""])[0]
        environment = Environment.objects.filter(slug=slug).first()
        kind = kinds.get(asked[1])
        places = [environment] if environment else list(Environment.objects.all())
        if not any(_may(kind, person, place) for place in places):
            found.add(f"{asked[1]} on {slug or 'any'}")
    return found


def _may(kind: kinds.OperationKind, person: User, environment: Environment) -> bool:
    try:
        check_permission(kind, person, environment)
    except PermissionDenied:
        return False
    return True


@pytest.fixture
def reader(client: Client, db: None, request: pytest.FixtureRequest) -> User:
    """Somebody with one role, signed in, in a world of rows."""
    factories.world()
    sync_roles()
    person = User.objects.create_user("reader", password="long enough password", is_staff=True)
    name, _, slug = request.param.partition("@")
    group = Group.objects.get(name=name)
    if slug:
        RoleGrant.objects.create(person=person, role=group, environment=Environment.objects.get(slug=slug))
    else:
        person.groups.add(group)
    client.force_login(person)
    return person


def shown(client: Client) -> Iterator[tuple[str, str, Ways]]:
    """Every page that this person sees: its name, its address and the ways on it."""
    for name, url in pages():
        answer = client.get(url()) if url() else None
        if answer is not None and answer.status_code == 200:
            ways = Ways()
            ways.feed(answer.text)
            yield name, url(), ways


@pytest.mark.parametrize("reader", ROLES, indirect=True)
def test_a_page_offers_nothing_that_would_be_refused(client: Client, reader: User) -> None:
    wrong = {name: sorted(found) for name, _, ways in shown(client) if (found := refused(ways, reader))}

    assert wrong == {}


@pytest.mark.parametrize("reader", ROLES, indirect=True)
def test_a_list_offers_an_action_to_whoever_may_ask_for_it(client: Client, reader: User, rf: RequestFactory) -> None:
    asked = rf.get("/admin/")
    asked.user = reader
    offered = {
        f"{model._meta.label_lower}.{name}": name in listed.get_actions(asked)
        for model, listed in admin.site._registry.items()
        for name in listed.actions or ()
    }

    assert {name: offered[name] for name in FILLS_IN} == {
        name: kinds.get(kind).for_anywhere(reader) for name, kind in FILLS_IN.items()
    }


@pytest.mark.parametrize("reader", [*ROLES, "Auditor@staging"], indirect=True)
def test_a_run_links_its_manifest_for_whoever_may_have_it(client: Client, reader: User) -> None:
    for run in Run.objects.filter(pk__in=[run.pk for run in Run.objects.all() if run.is_stored]):
        address = reverse("admin:backups_manifest", args=[run.pk])
        page = client.get(reverse("admin:backups_run_change", args=[run.pk])).text

        assert (address in page) == (client.get(address).status_code != 403), run


@pytest.mark.parametrize("reader", ["Viewer", "Auditor", "Operator@staging"], indirect=True)
def test_a_page_links_to_nothing_that_is_refused_or_missing(client: Client, reader: User) -> None:
    """One address of each view: what a link leads to opens for who reads the link."""
    wrong, asked = {}, set()
    for name, base, ways in shown(client):
        for address in ways.links:
            path = urlsplit(urljoin(base, address)).path
            view = resolve(path).view_name if address and path.startswith("/admin/") else ""
            if not view or view in asked:
                continue
            asked.add(view)
            opens = (200, 302, 409) if view in OF_A_STORE else (200, 302)
            if (status := client.get(urljoin(base, address)).status_code) not in opens:
                wrong[f"{name}: {address}"] = status

    assert wrong == {}


@pytest.mark.parametrize("reader", ["Viewer", "Operator@staging"], indirect=True)
def test_each_reason_of_a_disabled_button_stands_on_its_page(client: Client, reader: User) -> None:
    """Not only in a title, which no telephone shows, nor behind a fold that the button does not stand behind."""
    wrong = {}
    for name, url in pages():
        text = client.get(url()).text if url() else ""
        if silent := silent_buttons(text):
            wrong[name] = silent

    assert wrong == {}


def silent_buttons(text: str) -> set[str]:
    """Reasons of buttons that neither stand behind the same folds nor before them."""
    places, wrong = [(set[str](), set[str]())], set[str]()
    for opens, why, title, _ in PIECES.findall(text + "</details>"):
        buttons, told = places[-1]
        told |= {why.strip()} if why else set()
        buttons |= {title} if title else set()
        if opens:
            places.append(places[-1] if " open" in opens else (set(), set()))
        elif not (why or title):
            wrong |= buttons.difference(*(each for _, each in places))
            places = places[:-1]
    return wrong


def test_a_reason_that_is_told_behind_a_fold_is_told_before_it_too() -> None:
    twice, values = "{% way verb %}" * 2, {"verb": Verb("", "Go", "Not you."), "request": RequestFactory().get("/")}
    folded = f"{{% load ops %}}<details>{{% fold %}}{twice}{{% endfold %}}</details>"

    told = Template(f"{folded}{twice}{folded}").render(Context(values))

    assert (told.count('class="why"'), silent_buttons(told)) == (2, set())
    assert silent_buttons(Template(folded.replace("fold", "spaceless") + twice).render(Context(values))) == {"Not you."}
