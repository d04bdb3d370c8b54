"""A request: previewed, then confirmed; nothing typed is lost on the way. And the list of what can be requested."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from operations.engine import kinds
from operations.engine.specs import Parameter
from operations.models import Environment, Operation
from operations.web.request_form import RequestForm
from providers.errors import Refused
from tests.people import holder

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/admin/operations/operation/request/rehearsal.routine/"


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def buttons(text: str) -> list[str]:
    """What the form's own buttons say."""
    form = text[text.index("<h2>What to do</h2>") :]
    return [" ".join(label.split()) for label in re.findall(r'<button\s+type="submit"[^>]*>(.*?)</button>', form, re.S)]


def test_a_secret_is_asked_for_once_when_everything_else_was_seen(
    operator: User, production: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = kinds.get("rehearsal.routine")
    monkeypatch.setattr(kind, "parameters", [*kind.parameters, Parameter("value", "Value", secret=True)])
    client = signed_in(operator)

    first = client.get(URL, {"environment": "production"}).text
    typed = {"environment": "production", "key": "k", "seconds": "2", "reason": "because of k", "value": "hidden"}
    second = client.get(client.post(URL, typed)["Location"]).text

    assert (buttons(first), 'name="value"' in first, "rehearsal.routine needs" in first) == (["Preview"], False, False)
    assert (buttons(second), 'type="password"' in second) == (["Confirm"], True)
    for kept in ('value="k"', 'value="2"', "because of k"):
        assert kept in second
    assert not Operation.objects.exists()


def test_a_secret_that_is_still_to_be_typed_refuses_no_preview(
    operator: User, production: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = kinds.get("rehearsal.routine")

    def clean(environment: Environment, parameters: dict[str, str]) -> dict[str, str]:
        if "value" not in parameters:
            raise Refused("Give the value. Nothing was requested.")
        return parameters

    monkeypatch.setattr(kind, "clean", clean)
    secret = Parameter("value", "Value", required=False, secret=True)
    monkeypatch.setattr(kind, "parameters", [*kind.parameters, secret])
    client, typed = signed_in(operator), {"environment": "production", "key": "k", "reason": "because of k"}

    second = client.get(client.post(URL, typed)["Location"])
    refused = client.post(second.wsgi_request.get_full_path(), typed).text

    assert (buttons(second.text), "Not requested" in second.text) == (["Confirm"], False)
    assert "Give the value." in refused
    assert not Operation.objects.exists()


def test_a_text_of_several_lines_comes_as_it_was_and_is_never_sent_back(production: Environment) -> None:
    kind = kinds.OperationKind()
    kind.parameters = [Parameter("value", "Content", secret=True, lines=True)]
    typed = {"environment": "production", "value": '{\r\n  "key": "hidden"\r\n}\r\n'}

    form = RequestForm(kind, production, typed)

    assert form.is_valid()
    assert form.parameters(kind) == {"value": '{\n  "key": "hidden"\n}\n'}
    assert "<textarea" in str(form)
    assert "hidden" not in str(form)
    assert not RequestForm(kind, production, typed | {"value": "x" * 20_001}).is_valid()


@pytest.mark.parametrize(
    ("name", "label"), [("rehearsal.routine", "Confirm"), ("rehearsal.destructive", "Confirm: ask for approval")]
)
def test_the_second_button_says_what_it_does(operator: User, production: Environment, name: str, label: str) -> None:
    page = signed_in(operator).get(URL.replace("rehearsal.routine", name), {"environment": "production", "key": "k"})

    assert buttons(page.text) == [label]


def test_each_kind_stands_in_the_catalogue_once_and_leads_on_only_where_one_may(operator: User) -> None:
    everything = signed_in(User.objects.create_superuser("root", password="x"))
    mine = signed_in(operator).get(reverse("admin:operations_catalogue")).text
    all_of_them = everything.get(reverse("admin:operations_catalogue")).text

    for kind in kinds.registry.kinds.values():
        url = f'href="{reverse("admin:operations_request", args=[kind.name])}"'
        assert all_of_them.count(url) == 1, kind.name
        assert (url in mine) == (kind.permission == "operations.run_rehearsal"), kind.name


def test_who_may_ask_for_nothing_reads_that_once_a_group(production: Environment) -> None:
    text = signed_in(holder("vera", "view_operation")).get(reverse("admin:operations_catalogue")).text

    assert text.count("that your role may not request") == text.count('<section class="card">')


def test_every_kind_says_in_one_sentence_what_it_does() -> None:
    told = {name: kind.about for name, kind in kinds.registry.kinds.items() if not name.startswith("test.")}

    assert len(told) > 50
    assert [name for name, about in told.items() if not re.fullmatch(r"[A-Z].{15,}\.", about) or ". " in about] == []
    assert [name for name, about in told.items() if len(about) > 105] == []
