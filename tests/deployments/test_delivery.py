"""The four figures: what counts, what does not, when there is too little; and the CSV that they were counted from."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deployments.delivery import figures, shipped
from deployments.models import Deployment, Service
from deployments.web import delivery
from deployments.web.delivery import lines
from operations.models import Environment
from tests.people import holder

pytestmark = pytest.mark.django_db
UNTIL = datetime(2026, 11, 29, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=70)


@pytest.fixture
def service() -> Service:
    place = Environment.objects.create(slug="production", name="Production", kind="production", protected=True)
    return Service.objects.create(render_id="srv-1", name="api", type="web_service", environment=place)


def live(service: Service, hours: float, **fields: Any) -> Deployment:
    """A deploy that was live so many hours after the span's begin, committed two hours before."""
    at = fields.pop("start", SINCE) + timedelta(hours=hours)
    number = Deployment.objects.count()
    values = {
        "finished_at": at,
        "status": "deactivated",
        "commit_sha": f"{number:07d}",
        "commit_at": at - timedelta(hours=2),
        **fields,
    }
    return Deployment.objects.create(service=service, render_id=f"dep-{number}", created_at=at, **values)


def counted(service: Service) -> Any:
    assert service.environment
    return figures(shipped(service.environment, SINCE, UNTIL)[0], SINCE, UNTIL)


def test_what_was_rolled_back_next_or_found_unhealthy_failed_and_ends_with_the_next_good_one(service: Service) -> None:
    for hours in (1, 2, 3, 4, 5):
        live(service, 10 * hours)
        live(service, 10 * hours + hours, trigger="rollback", commit_sha="0" * 7, health="healthy")
    live(service, 100, health="unhealthy")
    live(service, 101, health="unhealthy")
    live(service, 105, health="healthy")
    live(service, 200, status="build_failed", finished_at=None)

    found = counted(service)

    assert (found.deploys, found.failed, found.over, found.a_week) == (8, 7, 7, 0.8)
    assert found.failure_rate == pytest.approx(7 / 8)
    assert found.restore == timedelta(hours=4).total_seconds()
    assert (found.lead, found.with_commit) == (7200, 8)


def test_a_failure_that_nothing_followed_is_not_over(service: Service) -> None:
    live(service, 1, health="unhealthy")

    ((row,), _) = shipped(service.environment, SINCE, UNTIL)  # type: ignore[arg-type]

    assert (row.failed, row.over_at) == ("unhealthy", None)
    assert lines(counted(service))[3][2] == "median to the next good deploy, of 0; 1 still to be restored"


def test_below_five_there_is_no_figure(service: Service) -> None:
    for hours in range(4):
        live(service, hours)

    assert [value for _, value, _ in lines(counted(service))] == ["0.4 a week", *["too few (under 5)"] * 3]


def test_the_same_commit_again_has_no_lead_time_and_another_service_ends_no_failure(service: Service) -> None:
    other = Service.objects.create(
        render_id="srv-2", name="job", type="background_worker", environment=service.environment
    )
    live(service, 1, commit_sha="a", health="unhealthy")
    live(other, 2, health="healthy")
    live(service, 900, commit_sha="a", health="healthy")

    by_service = {(row.deployment.service.name, row.at): row for row in shipped(service.environment, SINCE, UNTIL)[0]}  # type: ignore[arg-type]

    assert [row.lead is not None for row in by_service.values()] == [True, False, True]
    assert by_service["api", SINCE + timedelta(hours=1)].over_at == SINCE + timedelta(hours=900)


def test_a_commit_that_was_live_before_the_span_has_no_lead_time(service: Service) -> None:
    live(service, -48, commit_sha="a")
    live(service, 50, commit_sha="a", commit_at=SINCE - timedelta(hours=49))
    live(service, 51, commit_sha="b")

    rows, _ = shipped(service.environment, SINCE, UNTIL)  # type: ignore[arg-type]

    assert [row.lead for row in rows] == [None, timedelta(hours=2)]


def test_the_page_says_them_and_the_csv_holds_what_was_counted(service: Service, client: Client) -> None:
    client.force_login(holder("viewer", "deployments.view_service", "deployments.view_deployment"))
    live(service, -2, start=timezone.now(), commit_sha="=cmd()", health="unhealthy")

    page = client.get(reverse("admin:deployments_environment", args=["production"])).text
    answer = client.get(reverse("admin:deployments_delivery", args=["production"]))

    assert "1 of 1 rolled back or unhealthy" in page
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["commit"], row["lead_seconds"], row["failed"], row["over_at"]) == ("'=cmd()", "7200", "unhealthy", "")
    client.force_login(holder("nobody"))
    assert client.get(reverse("admin:deployments_delivery", args=["production"])).status_code == 403


def test_more_than_a_page_can_count_is_counted_since_the_newest_so_many(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deployments.delivery.MOST_COUNTED", 6)
    for hours in range(9):
        live(service, -hours, start=timezone.now())

    found = delivery.delivery(service.environment)  # type: ignore[arg-type]

    assert found["delivery"][0] == ("Deployment frequency", "6 a week", "6 went live, rollbacks not counted")  # type: ignore[index]
    assert found["delivery_days"] == 1


def test_a_commit_of_times_to_come_has_no_lead_time(service: Service) -> None:
    """Its author's clock wrote that; a time below nothing would shorten all others'."""
    live(service, 5, commit_at=SINCE + timedelta(days=9))

    rows, _ = shipped(service.environment, SINCE, UNTIL)  # type: ignore[arg-type]

    assert [row.lead for row in rows] == [None]


@pytest.mark.parametrize(
    ("later", "over", "said"),
    [
        ([""], None, "of 0; 1 followed only by releases that nobody saw healthy"),
        (
            ["", "unhealthy", ""],
            None,
            "of 0; 2 followed only by releases that nobody saw healthy",
        ),
        (["", "healthy"], 3, "of 1"),
        (["unhealthy"], None, "of 0; 2 still to be restored"),
        ([("unhealthy", 30)], 30, "of 1; 1 still to be restored"),
        ([("healthy", 30)], 30, "of 1"),
    ],
)
def test_a_failure_ends_only_with_what_was_seen_healthy(
    service: Service, later: list[Any], over: int | None, said: str
) -> None:
    """Not with a release that nobody probed, and no sooner than the first good probe."""
    live(service, 1, health="unhealthy")
    for number, one in enumerate(later):
        health, seen = one if isinstance(one, tuple) else (one, None)
        live(service, 2 + number, health=health, found_healthy_at=SINCE + timedelta(hours=seen) if seen else None)

    rows, _ = shipped(service.environment, SINCE, UNTIL)  # type: ignore[arg-type]

    assert rows[0].over_at == (SINCE + timedelta(hours=over) if over else None)
    assert lines(counted(service))[3][2] == f"median to the next good deploy, {said}"
