"""The pages of operations through Django's client: what they show, what they refuse."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from operations.approvals.voting import revoke
from operations.engine import specs
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Operation, Task
from operations.web.operation_page import result_of
from tests.people import holder
from tests.stepping import SteppingClient, approve

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sign_in(client, monkeypatch):
    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


def seeing(username: str, *codenames: str):
    return holder(username, "view_operation", "view_task", *codenames)


def test_the_request_page_shows_consequences_and_asks(sign_in, production):
    client = sign_in(seeing("olga", "run_rehearsal"))
    url = reverse("admin:operations_request", args=["rehearsal.routine"])

    page = client.get(url, {"environment": "production", "key": "a"})
    assert "nothing outside changes" in page.text
    assert "sampelit-ops request rehearsal.routine --environment production --set key=a" in page.text

    typed = client.post(url, {"environment": "production", "key": "a", "reason": "try"})
    assert typed["Location"] == f"{url}?key=a&environment=production&reason=try"
    assert not Operation.objects.exists()
    answer = client.post(typed["Location"], {"environment": "production", "key": "a", "reason": "try"})
    operation = Operation.objects.get()
    assert answer["Location"] == reverse("admin:operations_operation_change", args=[operation.pk])
    assert client.get(answer["Location"]).status_code == 200


def test_a_destructive_request_needs_the_typed_name(sign_in, production):
    client = sign_in(seeing("olga", "run_rehearsal"))
    url = reverse("admin:operations_request", args=["rehearsal.destructive"]) + "?environment=production&key=a"

    refused = client.post(url, {"environment": "production", "key": "a"})
    assert (refused.status_code, "Type production/a exactly" in refused.text) == (409, True)
    assert not Operation.objects.exists()

    client.post(url, {"environment": "production", "key": "a", "typed": "production/a"})
    assert Operation.objects.get().status == "awaiting_approval"


def test_a_role_that_may_not_request_sees_why_and_is_refused(sign_in, production):
    client = sign_in(seeing("vera"))
    url = reverse("admin:operations_request", args=["rehearsal.routine"])

    assert "Your role may look at this but not request it." in client.get(url).text
    refused = client.post(url, {"environment": "production", "key": "a"})
    assert (refused.status_code, "may not request" in refused.text) == (403, True)
    assert not Operation.objects.exists()


def test_bad_parameters_are_shown_and_nothing_is_stored(sign_in, production):
    client = sign_in(seeing("olga", "run_rehearsal"))
    url = reverse("admin:operations_request", args=["rehearsal.routine"])

    page = client.post(url, {"environment": "production", "key": "a", "seconds": "soon"})
    assert (page.status_code, "seconds must be a number" in page.text) == (409, True)
    assert client.post(url, {"environment": "production"}).status_code == 422
    assert not Operation.objects.exists()


def test_the_whole_path_of_a_vote_in_the_browserless_admin(sign_in, ask):
    operation = ask("rehearsal.sensitive")
    client = sign_in(seeing("ada", "approve_operation"))
    act = reverse("admin:operations_act", args=[operation.pk, "approve"])

    assert operation.pk in client.get(reverse("admin:approvals")).text
    assert "Your vote counts" in client.get(act).text
    client.post(act, {"reason": "looks right"})

    operation.refresh_from_db()
    assert operation.status == "queued"
    assert "looks right" in client.get(reverse("admin:operations_operation_change", args=[operation.pk])).text


def test_the_requester_cannot_approve_by_posting(sign_in, ask, operator):
    operation = ask("rehearsal.sensitive")
    client = sign_in(operator)

    answer = client.post(reverse("admin:operations_act", args=[operation.pk, "approve"]))

    assert (answer.status_code, "You requested it" in answer.text) == (403, True)
    operation.refresh_from_db()
    assert operation.status == "awaiting_approval"


def test_a_disabled_button_says_why(sign_in, ask):
    operation = ask("rehearsal.sensitive")
    page = sign_in(seeing("vera")).get(reverse("admin:operations_operation_change", args=[operation.pk]))
    assert "Only approvers vote." in page.text


def test_the_page_of_approvals_names_things_as_people_do_and_counts_live_votes(sign_in, ask):
    operation = ask("rehearsal.destructive")
    ada, ben = seeing("ada", "approve_operation"), seeing("ben", "approve_operation")
    revoke(approve(operation, by=ada), by=ada)
    approve(operation, by=ada)

    page = sign_in(ben).get(reverse("admin:approvals")).text
    assert ("Rehearse a destructive operation" in page, "1 of 2" in page) == (True, True)
    assert "You have voted; others must follow." in sign_in(ada).get(reverse("admin:approvals")).text


def test_a_failure_that_is_tried_again_says_why_and_when(sign_in, ask, settings):
    settings.OPS_RETRY_SECONDS = 50  # longer than a busy machine takes to show the page
    operation = ask(fail="retryable")
    run_operation(operation.pk, "test", frozenset(specs.POOLS), end_process=lambda: None)

    page = sign_in(seeing("vera")).get(reverse("admin:operations_operation_change", args=[operation.pk]))

    assert re.search(r"Work failed and is tried again\s+<time[^>]*>in \d+ s</time>", page.text)
    assert operation.steps.get(name="work").error in page.text


def test_the_live_fragment_stops_when_it_ended(sign_in, ask):
    operation = ask()
    client = sign_in(seeing("vera"))
    url = reverse("admin:operations_live", args=[operation.pk])
    assert "data-terminal" not in client.get(url).text
    Operation.objects.filter(pk=operation.pk).update(status="cancelled")
    assert "data-terminal" in client.get(url).text


def test_a_task_is_closed_with_a_resolution(operator):
    task = Task.objects.create(kind="other", title="look", dedupe_key="t", not_by=operator)
    url = reverse("admin:operations_close_task", args=[task.pk])
    client = SteppingClient()
    client.force_login(seeing("ada", "close_task"))

    refused = client.post(url, {"resolution": ""})
    assert (refused.status_code, "Say what was found" in refused.text) == (409, True)
    client.post(url, {"resolution": "looked"})

    task.refresh_from_db()
    assert task.resolution == "looked"


@pytest.mark.parametrize("name", ["operations_operation_changelist", "operations_catalogue", "approvals", "index"])
def test_lists_take_at_most_twelve_queries(sign_in, ask, name, django_assert_max_num_queries):
    for number in range(5):
        ask(key=str(number))
    client = sign_in(seeing("vera", "view_environment", "approve_operation"))
    client.get(reverse(f"admin:{name}"))
    with django_assert_max_num_queries(12):
        assert client.get(reverse(f"admin:{name}")).status_code == 200


def test_a_long_log_is_kept_whole_beside_its_newest_lines(sign_in, production):
    olga = seeing("olga", "run_rehearsal")
    client, operation = (
        sign_in(olga),
        request("rehearsal.routine", by=olga, environment=production, parameters={"key": "a"}),
    )
    Operation.objects.filter(pk=operation.pk).update(log="".join(f"12:00:00 s: line {n:03}\n" for n in range(250)))

    page = client.get(reverse("admin:operations_operation_change", args=[operation.pk])).text
    whole = client.get(reverse("admin:operations_log", args=[operation.pk]))
    file = client.get(reverse("admin:operations_log", args=[operation.pk]) + "?download")

    assert "50 older lines" in page
    assert "line 049" not in page
    assert whole.text.count("line ") == 250
    assert whole["Content-Type"] == "text/plain; charset=utf-8"
    assert file["Content-Disposition"].startswith("attachment; filename=")


def test_whoever_acted_reads_what_it_did_and_what_is_missing(sign_in, ask):
    operation = ask("rehearsal.destructive")
    approver = seeing("ada", "approve_operation")
    approve(operation, by=seeing("ben", "approve_operation"))

    told = act(sign_in(approver), operation, "reject", reason="not today").text

    assert "You refused it. It is rejected now." in told


def test_a_vote_that_was_the_last_says_what_comes_next(sign_in, ask):
    operation = ask("rehearsal.sensitive")

    told = act(sign_in(seeing("ada", "approve_operation")), operation, "approve").text

    assert "You approved it. It is queued: a worker takes it next." in told


def act(client, operation, verb, **data):
    return client.post(reverse("admin:operations_act", args=[operation.pk, verb]), data, follow=True)


def test_the_parts_of_a_result_are_in_their_order_and_nothing_is_empty(operator, ask):
    operation = ask()
    left = {"3 last": {"applied": "c", "gone": []}, "not_done": [], "10 then": "x", "1 first": {"made": 0}}

    operation.result = left

    assert result_of(operation) == [("1 first", "made: 0", ""), ("3 last", "applied: c", ""), ("10 then", "x", "")]
    operation.result = {"rows": 40092, "skipped": True, "restore": 4009, "tables": [{"rows": 1200}]}
    assert {name: value for name, value, _ in result_of(operation)} == {
        "rows": "40,092",
        "skipped": "yes",
        "restore": 4009,
        "tables": "rows 1,200",
    }
