"""Owners and runbook of an environment stand in the messages about it, and its page asks for them by an operation."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from operations.models import Environment, Notification
from operations.notify.alarms import alarm
from operations.notify.outbox import enqueue, whom_to_call

pytestmark = pytest.mark.django_db
RUNBOOK = "https://wiki.example/runbooks/{service}?why=alarm"


@pytest.fixture
def place() -> Environment:
    return Environment.objects.create(slug="production", name="Production", owners="Ana, Ben", runbook_url=RUNBOOK)


def test_a_message_says_whom_to_call_and_what_to_read(place: Environment) -> None:
    enqueue("a", subject="It is late", body="Since 3 o'clock.", about=place, service="api/v2")

    body = Notification.objects.get().body

    assert body == "Since 3 o'clock.\nOwners: Ana, Ben\nRunbook: https://wiki.example/runbooks/api/v2?why=alarm"


def test_an_alarm_says_it_and_its_end_does_not(place: Environment) -> None:
    for bad in (False, True, False):
        alarm("x", bad, subject="The api is unhealthy", about=place, service="api")

    first, last = (row.body for row in Notification.objects.order_by("pk"))
    assert ("Owners: Ana, Ben" in first, "Owners" in last) == (True, False)


def test_where_nobody_wrote_it_down_nothing_is_said(place: Environment) -> None:
    assert whom_to_call(None) == whom_to_call(Environment(slug="staging")) == ""


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "wiki.example/runbook"])
def test_a_runbook_is_a_page_of_the_web(place: Environment, address: str) -> None:
    place.runbook_url = address
    with pytest.raises(ValidationError):
        place.full_clean()
