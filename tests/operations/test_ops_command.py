"""`sampelit-ops ops`: keys, exit codes, who acts (docs/design.md 11)."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from ledger import registry
from ledger.models import Entry
from operations import cli
from operations.engine import specs
from operations.engine.run import run_operation
from operations.factors import devices
from operations.models import AccessToken, Operation
from operations.models.token_scopes import SCOPES
from tests.people import holder
from tests.sampelit_ops.signin.codes import code_of

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = [
    *("id", "kind", "environment", "status", "outcome", "risk", "parameters", "content_sha256", "requested_by"),
    *("requested_at", "approvals_required", "approvals", "steps", "result", "error"),
]


def ops(*arguments: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("ops", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    except CommandError as error:
        return error.returncode, out.getvalue(), str(error)
    return 0, out.getvalue(), err.getvalue()


def asking(kind: str, *more: str) -> tuple[int, str, str]:
    return ops("request", kind, "--environment", "production", "--set", "key=a", "--as", "olga", *more)


@pytest.fixture(autouse=True)
def _house(operator, production, monkeypatch):
    monkeypatch.delenv("OPS_TOKEN", raising=False)


def test_request_prints_every_promised_key():
    code, out, _ = asking("rehearsal.routine", "--json")
    shown = json.loads(out)
    assert code == 0
    assert list(shown) == KEYS
    assert set(shown["steps"][0]) == {"name", "pool", "status", "attempt", "started_at", "ended_at"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("request", "no.such", "--environment", "production", "--as", "olga"), "There is no operation 'no.such'"),
        (("request", "rehearsal.routine", "--environment", "nowhere", "--as", "olga"), "no environment 'nowhere'"),
        (("request", "rehearsal.routine", "--environment", "production", "--set", "x", "--as", "olga"), "NAME=VALUE"),
        (("request", "rehearsal.routine", "--environment", "production", "--as", "olga"), "needs key"),
        (("request", "rehearsal.routine", "--environment", "production", "--as", "nobody"), "no active user"),
        (("request",), "required"),
        (("show", "missing", "--as", "olga"), "There is no operation missing"),
        (("frobnicate",), "invalid choice"),
        (("list", "--status", "bogus"), "invalid choice"),
        (("list", "--environment", "nowhere", "--as", "olga"), "no environment 'nowhere'; nothing was listed"),
        (("list", "--limit", "-1", "--as", "olga"), "nothing was listed"),
    ],
)
def test_what_is_refused_exits_two_and_stores_nothing(arguments, said):
    code, _, err = ops(*arguments)
    assert code == 2
    assert said in err
    assert not Operation.objects.exists()


def test_waiting_for_an_approval_exits_three_and_for_nobody_five():
    assert asking("rehearsal.destructive", "--wait", "--json")[0] == 3
    assert asking("rehearsal.routine", "--wait", "--timeout", "0.1")[0] == 5


def test_whoever_waits_sees_each_step_and_how_much_is_done_and_the_answer_stays_alone():
    _, out, _ = asking("rehearsal.routine", "--json")
    row, told = cli.find(json.loads(out)["id"]), []
    Operation.objects.filter(pk=row.pk).update(progress={"done": 1200, "total": 5000, "unit": "rows"})
    row.steps.filter(position=0).update(status="running", started_at=timezone.now())

    assert cli.wait(row, 0.3, True, told.append)[1] == 5
    code, out, err = asking("rehearsal.destructive", "--wait", "--json")

    assert told == [f"queued · step 1 of {row.steps.count()}, {row.steps.first().name} · 1,200 of 5,000 rows"]
    assert (code, json.loads(out)["status"]) == (3, "awaiting_approval")
    assert "waits for its end" in err
    assert "awaiting approval" in err


def test_the_end_decides_the_exit_code():
    for fail, expected in (("", 0), ("refuse", 1)):
        _, out, _ = asking("rehearsal.routine", "--set", f"fail={fail}", "--json")
        run_operation(json.loads(out)["id"], "test", frozenset(specs.POOLS), end_process=lambda: None)
        assert cli.wait(cli.find(json.loads(out)["id"]), 1, True)[1] == expected
    _, out, _ = asking("rehearsal.destructive", "--json")
    assert ops("cancel", json.loads(out)["id"], "--as", "olga")[0] == 0
    assert cli.wait(cli.find(json.loads(out)["id"]), 1, True)[1] == 4


def test_votes_need_a_personal_token(monkeypatch):
    _, out, _ = asking("rehearsal.sensitive", "--json")
    pk = json.loads(out)["id"]
    ada = holder("ada", "approve_operation")

    code, _, err = ops("approve", pk, "--as", "ada")
    assert (code, "OPS_TOKEN" in err) == (2, True)
    row, token = AccessToken.objects.issue(ada, "laptop", scopes=SCOPES)
    monkeypatch.setenv("OPS_TOKEN", token)
    assert ops("approve", pk, "--json")[0] == 0
    assert Operation.objects.get(pk=pk).status == "queued"
    assert ops("revoke", pk)[0] == 0

    AccessToken.objects.filter(pk=row.pk).update(revoked_at="2026-01-01T00:00:00Z")
    code, _, err = ops("approve", pk)
    assert (code, "revoked" in err) == (2, True)
    assert token not in str(AccessToken.objects.values().get())


def test_a_shell_that_holds_every_as_cannot_approve_its_own_request(monkeypatch, operator):
    _, out, _ = asking("rehearsal.sensitive", "--json")
    pk = json.loads(out)["id"]
    _, token = AccessToken.objects.issue(operator, "own", scopes=SCOPES)
    monkeypatch.setenv("OPS_TOKEN", token)
    code, _, err = ops("approve", pk, "--as", "ada")
    assert (code, "You requested it" in err) == (2, True)


def test_list_and_show_exit_zero_whatever_the_status(settings):
    _, out, _ = asking("rehearsal.routine", "--json")
    pk = json.loads(out)["id"]
    assert ops("cancel", pk, "--as", "olga")[0] == 0
    assert ops("show", pk, "--as", "olga")[0] == 0
    code, out, _ = ops("list", "--json", "--status", "cancelled", "--as", "olga")
    assert (code, [item["id"] for item in json.loads(out)]) == (0, [pk])
    settings.DEMO = False
    assert ops("list")[0] == 2


def test_retry_and_break_glass_from_the_shell(monkeypatch, operator):
    _, out, _ = asking("rehearsal.destructive", "--json")
    pk = json.loads(out)["id"]
    _, token = AccessToken.objects.issue(operator, "own", scopes=SCOPES)
    monkeypatch.setenv("OPS_TOKEN", token)
    device = devices.enrol(operator, "phone")
    code, _, err = ops("break-glass", pk, "--reason", "checkout is down")
    assert (code, "--code" in err, Operation.objects.get(pk=pk).status) == (2, True, "awaiting_approval")
    assert ops("break-glass", pk, "--reason", "checkout is down", "--code", code_of(device))[0] == 0
    assert ops("cancel", pk)[0] == 0
    code, out, _ = ops("retry", pk, "--json")
    assert (code, json.loads(out)["status"]) == (3, "awaiting_approval")


def test_the_reason_of_a_cancel_is_told():
    _, out, _ = asking("rehearsal.routine", "--json")

    code, _, _ = ops("cancel", json.loads(out)["id"], "--reason", "wrong commit", "--as", "olga")

    entry = Entry.objects.filter(code="operations.cancel_requested").latest("sequence")
    assert (code, registry.sentence_for(entry).endswith(": wrong commit")) == (0, True)
