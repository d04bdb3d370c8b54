"""A form that was sent has one effect: every form carries its key, and sending any of them again does nothing."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.urls import resolve, reverse

from deployments.models import Service
from ledger.models import Entry
from operations.models import AccessToken, Operation, SentForm, Task
from operations.web import form_key
from sampelit_ops import permission_matrix
from tests import factories
from tests.browser.pages import operation, pages
from tests.keyed_forms import Keyless
from tests.people import holder
from tests.sampelit_ops.forms_in import Form, forms_in
from tests.stepping import SteppingClient

pytestmark = pytest.mark.django_db
REQUEST = "/admin/operations/operation/request/"


def may_come_without(sent_to: str) -> bool:
    return resolve(sent_to).view_name in settings.FORMS_WITHOUT_KEY


def ask(kind: str, query: str) -> Callable[[], str]:
    return lambda: f"{REQUEST}{kind}/?environment=production&{query}"


def address(name: str, model: type[Model], **wanted: object) -> Callable[[], str]:
    return lambda: reverse(name, args=[model._default_manager.filter(**wanted).first().pk])  # type: ignore[union-attr]


PERSON = "admin:auth_user_change"
ACTS: dict[str, tuple[Callable[[], str], dict[str, str]]] = {
    "request": (ask("rehearsal.routine", "key=once"), {"reason": "once"}),
    "request destructive": (ask("rehearsal.destructive", "key=once"), {"reason": "once"}),
    "approve": (operation("waiting", "approve"), {}),
    "reject": (operation("waiting", "reject"), {"reason": "no"}),
    "break-glass": (operation("waiting", "break-glass"), {"reason": "production is down"}),
    "cancel": (operation("running", "cancel"), {"reason": "enough"}),
    "retry": (operation("failed", "retry"), {"reason": "again"}),
    "close a task": (address("admin:operations_task_change", Task, closed_at=None), {"resolution": "looked at it"}),
    "invite": (lambda: "/admin/auth/user/add/", {"username": "newcomer", "email": "n@example.com", "roles": "Viewer"}),
    "rename": (address(PERSON, User, username="colleague"), {"email": "other@example.com", "roles": "Viewer"}),
    "token": (lambda: "/admin/account/tokens/", {"name": "laptop", "days": "30"}),
    "start over": (lambda: "/admin/auth/user/", {"action": "start_over", "index": "0"}),
    "switch": (address("admin:deployments_service_change", Service), {"auto_rollback": "on"}),
}


@pytest.fixture
def somebody() -> Client:
    """Who shows a second factor wherever a page asks."""
    client = SteppingClient()
    factories.world()
    User.objects.create_user("colleague", password="long enough password", is_staff=True)
    client.force_login(factories.person("vera"))
    return client


def acting(client: Client, name: str) -> Client:
    """Votes are for approvers, which nobody is by being a superuser."""
    if name in ("approve", "reject"):
        client.force_login(holder("avery", "approve_operation", "operations.view_operation"))
    return client


def effects() -> tuple[int, ...]:
    return tuple(model._default_manager.count() for model in (Operation, Entry, User, AccessToken))


def form_of(client: Client, url: str) -> Form:
    """The page's form, with what it wants to be typed."""
    page = client.get(url).content
    (form,) = [form for form in forms_in(page) if "form_key" in form.fields][:1]
    if typed := re.search(r"Type <code>(.*?)</code>", page.decode()):
        form.fields["typed"] = typed[1]
    return form


def send(client: Client, url: str, form: Form, given: dict[str, str]) -> Any:
    fields = {**form.fields, **given}
    if "action" in given:
        fields["_selected_action"] = str(User.objects.get(username="colleague").pk)
    return client.post(form.action or url, fields)


def test_every_form_of_every_page_carries_its_key(somebody: Client) -> None:
    missing = set()
    for name, address_of in pages():
        url = address_of()
        for form in forms_in(somebody.get(url).content) if url else []:
            sent_to = (form.action or url).partition("?")[0]
            acts = form.name != "changelist-form" or "action" in form.fields
            if "form_key" not in form.fields and not may_come_without(sent_to) and acts:
                missing.add((name, sent_to))

    assert not missing


@pytest.mark.parametrize("name", ACTS)
def test_sending_it_again_does_nothing(somebody: Client, name: str) -> None:
    address_of, given = ACTS[name]
    url, client = address_of(), acting(somebody, name)
    form, other_tab = form_of(client, url), form_of(client, url)
    before = effects()

    first = send(client, url, form, given)
    after = effects()
    tabs = (form, form, other_tab) if "action" not in given else (form, form, form)
    again = [send(client, url, each, given) for each in tabs]

    assert after > before, getattr(first, "content", b"")[-3000:]
    assert effects() == after
    assert [response.status_code for response in again] == [302] * 3
    assert {response["Location"] for response in again} == {first.get("Location", url)}


def test_a_form_that_was_refused_may_be_sent_again(somebody: Client) -> None:
    url = ACTS["request destructive"][0]()
    form = form_of(somebody, url)

    refused = send(somebody, url, form, {"reason": "once", "typed": "wrong"})
    asked = send(somebody, url, form, {"reason": "once"})

    assert (refused.status_code, asked.status_code) == (409, 302)
    assert Operation.objects.filter(parameters__key="once").count() == 1


def test_the_page_opened_again_asks_anew(somebody: Client) -> None:
    url = ACTS["request"][0]()

    for _ in range(2):
        send(somebody, url, form_of(somebody, url), {"reason": "once"})

    assert Operation.objects.filter(parameters__key="once").count() == 2


def test_what_nobody_saw_yet_uses_no_key_up(somebody: Client) -> None:
    """Back from the preview to the empty form, other values in it: they are asked about, not called a repetition."""
    url = f"{REQUEST}rehearsal.routine/?environment=production"
    form = form_of(somebody, url)

    shown = [send(somebody, url, form, {"key": key, "reason": "r"})["Location"] for key in ("a", "b")]

    assert ["key=a" in shown[0], "key=b" in shown[1]] == [True, True]


def test_one_persons_key_is_nothing_to_another(somebody: Client) -> None:
    url = ACTS["request"][0]()
    form = form_of(somebody, url)
    send(somebody, url, form, {"reason": "once"})
    other = Client()
    other.force_login(factories.person("olga"))

    send(other, url, form, {"reason": "once"})

    assert Operation.objects.filter(parameters__key="once").count() == 2


def test_a_form_without_its_key_is_refused(somebody: Client) -> None:
    address_of, given = ACTS["approve"]
    url, keyless = address_of(), Keyless()
    form = form_of(acting(somebody, "approve"), url)
    keyless.cookies = somebody.cookies
    del form.fields["form_key"]
    before = effects()

    answer = send(keyless, url, form, given)

    assert (answer.status_code, effects()) == (400, before)
    assert b"Nothing was done" in answer.content


def test_every_address_refuses_it(somebody: Client) -> None:
    """Or its reason stands in the settings."""
    keyless = Keyless(raise_request_exception=False)
    keyless.cookies = somebody.cookies
    paths = [address.path for address in permission_matrix.addresses()]
    closed = [path for path in paths if not may_come_without(path) and keyless.post(path).status_code != 400]

    assert len(paths) > 200
    assert closed == []


def test_each_exception_is_an_address_and_has_a_reason() -> None:
    known = {resolve(address.path).view_name for address in permission_matrix.addresses()}

    assert set(settings.FORMS_WITHOUT_KEY) - known == set()
    assert all(settings.FORMS_WITHOUT_KEY.values())


@pytest.mark.parametrize("key", ["x", "0" * 32, f"{'0' * 32}-", f"{'0' * 31}g-1", "\x00", "0" * 32 + "-" + "1" * 20])
def test_a_broken_key_is_refused(somebody: Client, key: str) -> None:
    url = ACTS["request"][0]()

    answer = send(somebody, url, form_of(somebody, url), {"reason": "once", "form_key": key})

    assert (answer.status_code, Operation.objects.filter(parameters__key="once").count()) == (400, 0)


def test_after_a_breakdown_it_is_not_done_again(somebody: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    url = ACTS["request"][0]()
    form = form_of(somebody, url)
    somebody.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr("operations.web.request_page.redirect", lambda *_: 1 / 0)
        assert send(somebody, url, form, {"reason": "once"}).status_code == 500

    again = send(somebody, url, form, {"reason": "once"})

    assert (again.status_code, again["Location"]) == (302, url)
    assert Operation.objects.filter(parameters__key="once").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_double_click_asks_once(client: Client) -> None:
    factories.world()
    client.force_login(factories.person("vera"))
    url = ACTS["request"][0]()
    form = form_of(client, url)
    answers: list[str] = []
    start = threading.Barrier(4)

    def click() -> None:
        own = Client()
        own.cookies = client.cookies
        start.wait()
        answers.append(send(own, url, form, {"reason": "once"})["Location"])
        connection.close()

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join()

    (asked,) = Operation.objects.filter(parameters__key="once")
    assert answers == [reverse("admin:operations_operation_change", args=[asked.pk])] * 4


def test_sent_forms_are_let_go(somebody: Client) -> None:
    url = ACTS["request"][0]()
    send(somebody, url, form_of(somebody, url), {"reason": "once"})
    form_key.forget()
    assert SentForm.objects.count() == 1

    SentForm.objects.update(sent_at="2026-01-01T00:00:00Z")
    form_key.forget()

    assert not SentForm.objects.exists()


def test_a_form_without_key_is_one_of_these() -> None:
    texts = {path.name: path.read_text() for path in Path("templates").rglob("*.html")}
    keyless = {name for name, text in texts.items() if 'method="post"' in text and "form_key" not in text}

    changing_nothing = {"blueprint.html", "connect.html", "doctor.html", "base_site.html"}
    guarded_by_what_works_once = {"login.html", "welcome.html", "prove.html", "enrol.html", "add_passkey.html"}
    sending_another_again_with_its_key = {"step_up.html"}
    known = changing_nothing | guarded_by_what_works_once | sending_another_again_with_its_key
    assert keyless - {"change_list.html"} == known
