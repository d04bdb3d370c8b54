"""What was asked, before the button: one answer for the page, the vote, the mails' link and the shell."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from operations.approvals.decision import decision_of
from operations.engine import kinds
from operations.engine.specs import Block, Fact, Parameter
from operations.models import AccessToken, Operation
from operations.models.token_scopes import SCOPES
from tests.operations.test_ops_command import ops
from tests.people import holder

pytestmark = pytest.mark.django_db(transaction=True)
IDS = ("backup", "bundle", "deployment", "file", "group", "hold", "incident", "restore", "run", "service")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rehearsal shows an answer, a text, and a name for its key."""
    kind = kinds.get("rehearsal.destructive")
    block = Block("The text", "admin/operations/votes.html", {}, ("DROP TABLE kept;",))
    monkeypatch.setattr(kind, "shown", lambda *_: [Fact("Will be lost", "everything of k", tone="bad"), block])
    named = Parameter("key", "Key", named=lambda _, value: (f"the {value} of ours", "/its/page/"))
    monkeypatch.setattr(kind, "parameters", [named, *kind.parameters[1:]])


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_each_parameter_that_is_an_id_has_a_name() -> None:
    bare = [
        f"{kind.name} {parameter.name}"
        for kind in kinds.registry.kinds.values()
        for parameter in kind.parameters
        if parameter.name in IDS and parameter.named is None
    ]

    assert bare == []


def test_whoever_votes_requests_or_reads_sees_the_same_before_the_button(ask, shown, operator, approver) -> None:
    operation = ask("rehearsal.destructive")
    page = reverse("admin:operations_operation_change", args=[operation.pk])

    texts = [signed_in(person).get(page).text for person in (operator, approver, holder("vera", "view_operation"))]

    for text in texts:
        place = [text.find(each) for each in ("a test", "everything of k", "The text", "the k of ours", 'id="vote"')]
        assert (-1 in place, place) == (False, sorted(place))
    buttons = [re.findall(r'id="(verb-[a-z-]+)"', text) for text in texts]
    assert buttons == [["verb-break-glass", "verb-cancel"], ["verb-approve", "verb-reject"], []]


def test_a_vote_is_given_on_the_page_itself(ask, approver) -> None:
    operation = ask("rehearsal.sensitive")
    client = signed_in(approver)
    page = client.get(reverse("admin:operations_operation_change", args=[operation.pk]))
    form = re.search(r'<form method="post" action="([^"]+)">(.*?)</form>', page.text, re.DOTALL)
    assert form is not None
    key = re.search(r'name="form_key" value="([^"]+)"', form[2])
    assert key is not None

    client.post(form[1], {"reason": "fine", "form_key": key[1]})

    operation.refresh_from_db()
    assert operation.status == "queued"


def test_a_wrong_name_changes_nothing_and_shows_what_was_asked_again(ask, shown, approver) -> None:
    operation = ask("rehearsal.destructive")
    answer = signed_in(approver).post(
        reverse("admin:operations_act", args=[operation.pk, "approve"]), {"typed": "production/other"}
    )

    assert (answer.status_code, "everything of k" in answer.text) == (409, True)
    assert not operation.approvals.exists()


def test_what_is_over_is_told_without_what_might_happen(ask, shown) -> None:
    operation = ask("rehearsal.destructive")
    Operation.objects.filter(pk=operation.pk).update(status="cancelled")
    operation.refresh_from_db()

    decision = decision_of(operation)

    assert [fact.value for fact in decision.asked] == ["the k of ours"]
    assert (decision.answers, decision.blocks, decision.consequences) == ([], [], [])


def test_the_live_part_tells_when_the_page_around_it_is_not_so_any_more(ask, approver, operator) -> None:
    operation = ask("rehearsal.sensitive")
    live = reverse("admin:operations_live", args=[operation.pk])
    client = signed_in(operator)

    def state() -> str:
        return re.findall(r'data-state="([^"]*)"', client.get(live).text)[0]

    before = state()
    Operation.objects.filter(pk=operation.pk).update(status="queued")

    assert (before, state()) == ("awaiting_approval", "queued")


def test_the_shell_shows_the_same_and_asks_for_the_typed_name(ask, shown, approver, monkeypatch) -> None:
    operation = ask("rehearsal.destructive")
    _, token = AccessToken.objects.issue(approver, "laptop", scopes=SCOPES)
    monkeypatch.setenv("OPS_TOKEN", token)

    told = ops("show", operation.pk)[1]
    code, _, refusal = ops("approve", operation.pk)

    for each in ("olga", "a test", "Will be lost: everything of k", "DROP TABLE kept;", "Key: the k of ours"):
        assert each in told
    for each in ("0 of 2 votes, expires", f"/operation/{operation.pk}/change/", "Whoever approves types production/k"):
        assert each in told
    assert (code, "--confirm production/k" in refusal) == (2, True)
    assert "second factor" in ops("approve", operation.pk, "--confirm", "production/k")[2]
    assert not operation.approvals.exists()


def test_the_shell_lists_every_kind_and_tells_its_parameters(production, capsys) -> None:
    listed = ops("kinds")[1]
    code = ops("request", "rehearsal.routine", "--help")[0]
    told = capsys.readouterr().out

    assert [name for name in kinds.registry.kinds if f"{name} " not in listed] == []
    assert code == 0
    for parameter in kinds.get("rehearsal.routine").parameters:
        assert f"--set {parameter.name}=" in told
