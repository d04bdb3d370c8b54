"""A service that Render no longer has: one entry and one message, whichever path notices; likewise when back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from deployments.models import Service, WebhookDelivery
from deployments.render.listed import SyncReport
from deployments.render.service_rows import fetch, mark_removed, store_service
from deployments.render.sync import poll
from deployments.render.webhooks import process_waiting
from ledger.models import Entry
from ledger.registry import sentence_for
from operations.models import Notification
from tests.render_sandbox import Harness

pytestmark = pytest.mark.django_db
PREVIEW = "sampelit-web-pr-41"


def long_missing(service: str) -> None:
    """The 404 that was noted came a minute ago."""
    rows = Service.objects.filter(render_id=service, missing_since__isnull=False)
    assert rows.update(missing_since=timezone.now() - timedelta(minutes=1)) == 1


def by_the_list(sandbox: Harness, service: str) -> None:
    sandbox.render.services.delete(service)
    poll()
    long_missing(service)
    poll()


def by_a_webhook(sandbox: Harness, service: str) -> None:
    sandbox.render.services.delete(service)
    WebhookDelivery.objects.create(delivery_id=f"msg-{WebhookDelivery.objects.count()}", service_render_id=service)
    process_waiting()
    long_missing(service)
    WebhookDelivery.objects.create(delivery_id=f"msg-{WebhookDelivery.objects.count()}", service_render_id=service)
    process_waiting()


def by_its_deploys(sandbox: Harness, service: str) -> None:
    """The list still has it; then neither its deploys nor it are found."""
    sandbox.control("fault", match=f"GET /services/{service}", kind="404", times=2)
    poll()
    sandbox.render.services.delete(service)
    long_missing(service)
    poll()


PATHS = [by_the_list, by_a_webhook, by_its_deploys]


def told(code: str) -> tuple[int, int]:
    """How many entries and messages there are of one kind."""
    messages = Notification.objects.filter(dedupe_key__startswith=f"{code}:")
    return Entry.objects.filter(code=f"deployments.{code}").count(), messages.count()


@pytest.mark.parametrize("notice", PATHS)
def test_a_removed_service_is_told_once(
    sandbox: Harness, known: SyncReport, notice: Callable[[Harness, str], None]
) -> None:
    row = Service.objects.get(name=PREVIEW)

    notice(sandbox, row.render_id)

    assert told("service_removed") == (1, 1)
    assert Service.objects.get(pk=row.pk).removed_at is not None
    entry = Entry.objects.get(code="deployments.service_removed")
    assert (entry.actor, entry.environment, entry.subject) == ("Render", PREVIEW, PREVIEW)
    assert sentence_for(entry) == f"{PREVIEW} is gone from Render; what was recorded of it is kept"
    message = Notification.objects.get(dedupe_key__startswith="service_removed:")
    assert message.subject == f"{PREVIEW} is gone from Render"
    assert message.url.endswith(f"/deployments/service/{row.pk}/change/")


@pytest.mark.parametrize("notice", PATHS)
def test_the_other_paths_say_nothing_more(
    sandbox: Harness, known: SyncReport, notice: Callable[[Harness, str], None]
) -> None:
    service = Service.objects.get(name=PREVIEW).render_id
    notice(sandbox, service)

    poll()
    fetch(sandbox.render, service)

    assert mark_removed(service) is False
    assert told("service_removed") == (1, 1)


def test_a_service_that_is_listed_again_is_told_once_and_may_go_again(sandbox: Harness, known: SyncReport) -> None:
    service = Service.objects.get(name=PREVIEW).render_id
    assert mark_removed(service) is True

    poll()
    poll()

    assert Service.objects.get(name=PREVIEW).removed_at is None
    assert told("service_back") == (1, 1)
    assert sentence_for(Entry.objects.get(code="deployments.service_back")) == f"{PREVIEW} is back at Render"
    assert mark_removed(service) is True
    assert told("service_removed") == (2, 2)


def test_a_webhook_about_a_removed_service_brings_it_back(sandbox: Harness, known: SyncReport) -> None:
    service = Service.objects.get(name=PREVIEW).render_id
    mark_removed(service)
    WebhookDelivery.objects.create(delivery_id="msg-back", service_render_id=service)

    process_waiting()

    assert told("service_back") == (1, 1)


def test_two_who_read_it_before_it_came_back_tell_it_once(sandbox: Harness, known: SyncReport) -> None:
    service = Service.objects.get(name=PREVIEW).render_id
    mark_removed(service)
    seen = sandbox.render.services.get(service)
    readers = [Service.objects.get(name=PREVIEW) for _ in range(2)]

    rows = [store_service(seen, row) for row in readers]

    assert [row.removed_at for row in rows] == [None, None]
    assert told("service_back") == (1, 1)


def test_deploys_that_are_not_found_do_not_remove_a_service_that_is_there(sandbox: Harness, known: SyncReport) -> None:
    service = Service.objects.get(name=PREVIEW)
    sandbox.control("fault", match=f"GET /services/{service.render_id}/deploys", kind="404", times=1)

    report = poll()

    assert [line.partition(":")[0] for line in report.failed] == [PREVIEW]
    assert Service.objects.get(pk=service.pk).removed_at is None
    assert told("service_removed") == (0, 0)


def test_entry_message_and_row_come_together_or_not_at_all(
    sandbox: Harness, known: SyncReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service.objects.get(name=PREVIEW)

    def fail(*arguments: object, **named: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("deployments.render.service_rows.enqueue", fail)
    with pytest.raises(RuntimeError):
        mark_removed(service.render_id)

    assert told("service_removed") == (0, 0)
    assert Service.objects.get(pk=service.pk).removed_at is None
