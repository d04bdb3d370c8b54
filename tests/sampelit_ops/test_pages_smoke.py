"""The frame of the portal: home page, search, records, health, metrics, error pages, icon."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import OperationalError, connection
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from operations.models import Heartbeat, Operation, Status, Step, StepStatus
from sampelit_ops.site import page_counts
from sampelit_ops.views import health
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("somebody", password="x"))
    return client


def test_home_answers_and_names_the_ledger(staff: Client) -> None:
    page = staff.get("/admin/").content.decode()

    assert "Sampelit Ops" in page
    assert "ledger not verified yet" in page


def test_login_page_is_ours(client: Client) -> None:
    page = client.get("/admin/login/").content.decode()

    assert "ops/layout.css" in page
    assert 'id="side"' not in page


def test_records_and_search_open(staff: Client) -> None:
    assert staff.get("/admin/records/").status_code == 200
    assert b"All records" in staff.get("/admin/jump/?q=record").content
    assert b"Nothing found" in staff.get("/admin/jump/?q=zzzz").content


def test_healthz_asks_no_database(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert client.get("/healthz").json() == {"status": "ok"}


def test_readyz_says_503_without_a_worker(client: Client) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["database"]["ok"] is True
    assert answer.json()["checks"]["workers"]["ok"] is False


@pytest.fixture
def beating() -> None:
    Heartbeat.objects.create(name="worker:test:1", beat_at=timezone.now())


@pytest.mark.usefixtures("beating")
def test_readyz_is_ready_with_a_worker(client: Client) -> None:
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "ready")


def test_readyz_says_503_while_work_waits_too_long(client: Client) -> None:
    made = factories.world().operations["queued"]
    Operation.objects.filter(pk=made.pk).update(due_at=timezone.now() - timedelta(minutes=20))

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["queue"]["oldest_due_seconds"] >= 1200


LONG_AGO = timedelta(minutes=20)


def _asked_long_ago(like: Operation, pk: str) -> None:
    row = Operation.objects.get(pk=like.pk)
    row.pk, row.exclusive_key, row.requested_at = pk, "schema:production", timezone.now() - LONG_AGO
    row.save(force_insert=True)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("lease", "status"),
    [(timedelta(minutes=5), 200), (None, 200), (timedelta(minutes=-1), 503), (-LONG_AGO, 503)],
    ids=["running", "between two pools", "just lost", "lost long ago"],
)
def test_readyz_and_home_blame_nobody_who_waits_for_a_healthy_holder(
    client: Client, lease: timedelta | None, status: int
) -> None:
    routine, now = factories.world().operations["queued"], timezone.now()
    for pk in ("HOLDER", "WAITER"):
        _asked_long_ago(routine, pk)
    Operation.objects.advance(
        "HOLDER", Status.QUEUED, Status.RUNNING, lease_until=now + lease if lease is not None else None
    )
    Step.objects.create(operation_id="HOLDER", position=1, name="copy", status=StepStatus.SUCCEEDED, ended_at=now)

    answer = client.get("/readyz")
    asked = HttpRequest()
    asked.user = AnonymousUser()

    assert answer.status_code == status, answer.json()
    assert (page_counts.of(asked).late > 0) == (status == 503)


def test_readyz_asks_by_a_connection_of_its_own(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "PORT", "9")  # ours stays open; nobody new is answered

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["checks"]) == (
        503,
        {"database": {"ok": False, "found": "the portal's database does not answer"}},
    )


def test_readyz_says_503_without_a_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise OperationalError("connection to server at 10.0.0.1 failed")

    monkeypatch.setattr(health, "_migrations", gone)

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert "10.0.0.1" not in answer.content.decode()


def test_metrics_need_the_token(client: Client, settings: Settings) -> None:
    assert client.get("/metrics").status_code == 404
    settings.OPS_METRICS_TOKEN = "secret-metrics-token"
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    answer = client.get("/metrics", headers={"Authorization": "Bearer secret-metrics-token"})
    assert b"ops_ledger_entries 0" in answer.content


def test_unknown_page_says_what_to_do(client: Client) -> None:
    answer = client.get("/nowhere")

    assert answer.status_code == 404
    assert b"What you can do" in answer.content


def test_icon_and_request_id(client: Client) -> None:
    answer = client.get("/favicon.ico", headers={"X-Request-ID": "abc-12345678"})

    assert answer["Content-Type"] == "image/svg+xml"
    assert answer["X-Request-ID"] == "abc-12345678"
