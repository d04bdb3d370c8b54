"""Each list is narrowed by date, by whoever did it and by environment, where its rows have such a thing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib import admin
from django.db.models import DateTimeField, Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ledger.models import Entry
from operations.admin.base import ListedLookups
from operations.models import Environment, Operation, Task
from tests import factories

pytestmark = pytest.mark.django_db
UNDATED = {
    "backups.policy": "what is in force, not what happened",
    "deployments.service": "what there is now; its deploys are dated",
    "operations.environment": "what there is now; its history is the timeline",
    "django_q.schedule": "what is to come",
    "django_q.ormq": "what waits, seconds old",
}
# Ways from a row to its environment, where it has one.
PLACES = ("environment", "service__environment", "policy__environment", "run__policy__environment")


def lists() -> dict[str, ListedLookups]:
    """The admin's lists, but the timeline, which has a form of its own."""
    registered = {model._meta.label_lower: made for model, made in admin.site._registry.items() if model is not Entry}
    return {label: made for label, made in registered.items() if isinstance(made, ListedLookups)}


def dates(model: type[Model]) -> list[str]:
    return [field.name for field in model._meta.get_fields() if isinstance(field, DateTimeField)]


def place_of(model: type[Model]) -> str:
    """The path to the row's environment; empty where it has none."""
    for path in PLACES:
        at: type[Model] | None = model
        for name in path.split("__"):
            names = {field.name: field for field in at._meta.get_fields()} if at else {}
            at = names[name].related_model if name in names else None
        if at is Environment:
            return path
    return ""


def test_every_list_is_in_the_admins_bases() -> None:
    assert len(lists()) > 25


def test_every_list_with_dates_and_environments_is_narrowed_by_them() -> None:
    undated = [label for label, made in lists().items() if dates(made.model) and not made.dated]
    placeless = [
        label
        for label, made in lists().items()
        if place_of(made.model) and not any(place_of(made.model) == each for each in made.list_filter)
    ]

    assert sorted(undated) == sorted(label for label in UNDATED if label in lists())
    assert placeless == []


def test_every_list_opens_narrowed_by_everything_at_once(client: Client) -> None:
    factories.world()
    client.force_login(factories.person("root"))

    for label, made in lists().items():
        given = {"since": "2026-01-01", "until": "2027-01-01"} if made.dated else {}
        given |= {"by": "root"} if made.by else {}
        name = label.replace(".", "_")
        answer = client.get(reverse(f"admin:{name}_changelist"), given)
        assert answer.status_code == 200, label
        assert all(f'value="{value}"' in answer.text for value in given.values()), label


def test_both_days_count_and_names_are_whole(client: Client) -> None:
    root, other = factories.person("root"), factories.person("everything")
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    for number, opened_at in enumerate((midnight - timedelta(seconds=1), midnight, midnight + timedelta(hours=23))):
        by = other if number == 1 else root
        closed = {"dedupe_key": str(number), "closed_by": by, "closed_at": timezone.now(), "resolution": "looked at"}
        Task.objects.create(kind="review_break_glass", title=f"task {number}", opened_at=opened_at, **closed)
    client.force_login(root)

    def shown(**given: str) -> list[str]:
        page = client.get(reverse("admin:operations_task_changelist"), given)
        return sorted(row.title[-1] for row in page.context["cl"].result_list)

    assert shown() == ["0", "1", "2"]
    assert shown(since="2026-03-01", until="2026-03-01") == ["0"]
    assert shown(since="2026-03-02", until="2026-03-02") == ["1", "2"]
    assert shown(until="2026-03-02", by="ROOT") == ["0", "2"]
    assert shown(by="roo") == []


def test_what_is_no_date_is_said_and_narrows_nothing(client: Client) -> None:
    factories.world()
    client.force_login(factories.person("root"))

    page = client.get(reverse("admin:operations_operation_changelist"), {"since": "soon", "until": "9999-12-31"})

    assert "“soon” is no date; write it as 2026-01-31" in page.text
    assert len(page.context["cl"].result_list) == Operation.objects.count()


@pytest.mark.parametrize("name", ["since", "until", "by", "q", "p", "anything"])
def test_a_filter_longer_than_any_value_leads_to_the_list(name: str, admin_client: Client) -> None:
    address = reverse("admin:operations_operation_changelist")

    assert admin_client.get(address, {name: "é" * 501})["Location"] == address
    shown = admin_client.get(address).content.decode()
    assert "A filter was longer than any value here" in shown
    assert "é" * 100 not in shown
