"""What people edit in the admin: a ledger entry in the same transaction, and an alarm when votes get fewer.

An environment's form asks for an operation; here it is agreed to and run.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django.fixtures import Settings

from backups.models import Policy
from ledger.models import Entry
from ledger.registry import sentence_for
from operations import audit as operations_audit
from operations.engine import specs
from operations.engine.run import run_operation
from operations.models import Environment, Notification
from operations.votes.standing import CONFIRMED
from tests.people import holder
from tests.stepping import SteppingClient, approve, request

ROW = {"slug": "production", "name": "Production", "kind": "production", "protected": "on"}
POLICY = {
    "name": "audit",
    "lines": "public.a",
    "format": "auto",
    "enabled": "on",
    "time_zone": "UTC",
    "grace_minutes": 60,
    **dict.fromkeys(("keep_last", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly", "keep_unproven_days"), 9),
}


@pytest.fixture
def save(
    db: None, client: Client, production: Environment, approver: User, approver2: User, settings: Settings
) -> Callable[..., int]:
    """Save the environment's form with these values, have it agreed to and run; the form's status."""
    settings.DEMO, settings.EMAIL_HOST = True, "smtp.example.com"
    User.objects.filter(pk=approver.pk).update(email="ada@example.com")
    permissions = ("view_environment", "add_environment", "change_environment", "add_policy", "change_policy")
    amir = holder("amir", *permissions)
    client.force_login(amir)

    def post(**given: str) -> int:
        body = {name: value for name, value in {**ROW, **given}.items() if value}
        answer = client.post(f"/admin/operations/environment/{production.pk}/change/", body)
        wanted = dict(parse_qsl(urlsplit(answer.get("Location", "")).query))
        if wanted.pop("environment", ""):
            place = Environment.objects.get(pk=production.pk)
            operation = request("environments.change", by=amir, environment=place, parameters=wanted, reason="a test")
            for voter in (approver, approver2)[: operation.approvals_required]:
                approve(operation, by=voter)
            run_operation(operation.pk, "worker", frozenset(specs.POOLS), end_process=lambda: None)
        return answer.status_code

    return post


def _changed() -> Entry:
    return Entry.objects.get(code="operations.environment.changed")


def test_a_change_is_a_sentence_with_before_and_after(save: Callable[..., int]) -> None:
    assert save(name="Prod", freeze_reason="sale") == 302

    entry = _changed()
    assert (entry.actor, entry.environment, entry.subject) == ("amir", "production", "production")
    assert entry.payload["changes"] == {
        "name": {"before": "Production", "after": "Prod"},
        "freeze_reason": {"before": "", "after": "sale"},
    }
    assert sentence_for(entry).startswith("amir changed the environment production: ")
    assert "name from Production to Prod" in sentence_for(entry)
    assert not Notification.objects.exists()


def test_one_supabase_project_belongs_to_one_environment(
    save: Callable[..., int], client: Client, production: Environment
) -> None:
    Environment.objects.create(slug="elsewhere", name="E", supabase_ref="sampelitproductionab")

    answer = client.post(
        f"/admin/operations/environment/{production.pk}/change/", {**ROW, "supabase_ref": "sampelitproductionab"}
    )

    assert "Another environment has this Supabase project" in answer.content.decode()
    with pytest.raises(IntegrityError, match="environment_supabase_ref_once"), transaction.atomic():
        Environment.objects.update(supabase_ref="sampelitproductionab")
    assert save(supabase_ref="another") == 302


def test_saving_without_a_change_is_silent(save: Callable[..., int]) -> None:
    assert save() == 302

    assert not Entry.objects.exclude(code=CONFIRMED).exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"protected": ""}, "It is no longer protected."),
        ({"votes_destructive": "0"}, "Destructive acts need 0 instead of 2 votes."),
        ({"votes_sensitive": "0"}, "Sensitive acts need 0 instead of 1 votes."),
    ],
)
def test_fewer_votes_alarm_every_approver(save: Callable[..., int], given: dict[str, str], words: str) -> None:
    assert save(**given) == 302

    message = Notification.objects.get(subject__startswith="Fewer votes")
    assert message.recipients == "ada@example.com"
    assert words in message.body
    assert _changed().payload["changes"]


def test_more_votes_alarm_nobody(save: Callable[..., int]) -> None:
    assert save(votes_routine="1", votes_destructive="3") == 302

    assert _changed().payload["changes"]["votes_routine"] == {"before": None, "after": 1}
    assert not Notification.objects.exists()


def test_secrets_stay_out(save: Callable[..., int]) -> None:
    assert save(health_url="https://u:hunter2secret@h.example.com/") == 302

    assert not Entry.objects.exclude(code=CONFIRMED).exists()
    assert Environment.objects.get(slug="production").health_url == ""


def test_a_policy(save: Callable[..., int], client: Client, production: Environment) -> None:
    user, client = client.get("/admin/").wsgi_request.user, SteppingClient()
    client.force_login(user)
    client.post("/admin/backups/policy/add/", {**POLICY, "environment": production.pk})
    policy = Policy.objects.get(name="audit")
    edited = {
        **POLICY,
        "environment": production.pk,
        "lines": "public.a\npublic.b",
        "cron": "15 3 * * *",
        "enabled": "",
    }
    client.post(f"/admin/backups/policy/{policy.pk}/change/", {k: v for k, v in edited.items() if v})

    codes = ["backups.policy.added", "backups.policy.changed"]
    written = Entry.objects.exclude(code__in=[CONFIRMED, "signin.stepped_up"]).order_by("sequence")
    assert list(written.values_list("code", flat=True)) == codes
    entry = Entry.objects.get(code="backups.policy.changed")
    assert entry.environment == "production"
    assert entry.payload["changes"]["tables"] == {"before": '["public.a"]', "after": '["public.a", "public.b"]'}
    assert "enabled from yes to no" in sentence_for(entry)


def test_no_entry_no_change(save: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the ledger is gone")

    monkeypatch.setattr(operations_audit, "record", broken)
    save(protected="")

    assert Environment.objects.get(slug="production").protected
    assert not Notification.objects.exists()
