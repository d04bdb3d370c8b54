"""The home page's sentence and the cards about operations; a broken panel never takes the page down."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from backups.models import Policy, Run, Slot
from operations import home_panels
from operations.engine import tick
from operations.home_panels import Panel
from operations.models import Heartbeat, Operation
from operations.web import formatting
from sampelit_ops.site import home
from tests import factories


def test_headline_is_calm_when_all_is_well() -> None:
    assert home.sentence([Panel("Health", "Healthy", "ok")]) == ("Production is healthy", "Nothing needs you.")


def test_headline_names_what_needs_a_person() -> None:
    shown = [Panel("Health", "Healthy", "ok"), Panel("Waits for approval", "1 for you", "warn")]

    assert home.sentence(shown) == ("Production is healthy", "One thing to look at: waits for approval: 1 for you.")


def test_headline_puts_red_first() -> None:
    shown = [Panel("Health", "Not healthy", "bad"), Panel("Live", "a1f93c2")]

    assert home.sentence(shown)[0] == "Production is not healthy"


@pytest.fixture
def page_of_world(client: Client, db: None) -> tuple[Client, factories.World]:
    world = factories.world()
    client.force_login(world.everything)
    return client, world


def test_cards_count_what_waits_and_what_failed(page_of_world: tuple[Client, factories.World]) -> None:
    page = page_of_world[0].get("/admin/").content.decode()

    waiting = Operation.objects.filter(status="awaiting_approval").count()
    assert f"{waiting} for others" in page  # all were requested by the person who looks
    assert "1 failed" in page
    assert "destructive" in page.lower()


def test_altered_ledger_is_red_everywhere(page_of_world: tuple[Client, factories.World]) -> None:
    Heartbeat.objects.filter(name="ledger.verified").update(detail={"valid": False})

    page = page_of_world[0].get("/admin/").content.decode()

    assert "Ledger altered" in page
    assert "ledger ALTERED" in page


def test_broken_panel_is_a_red_card(
    page_of_world: tuple[Client, factories.World], monkeypatch: pytest.MonkeyPatch
) -> None:
    def newest_backup(request: HttpRequest) -> Panel:
        raise RuntimeError("the store is gone")

    monkeypatch.setattr(home_panels, "_panels", [(1, newest_backup)])

    page = page_of_world[0].get("/admin/").content.decode()

    assert "Newest backup" in page
    assert "Could not be read" in page
    assert "the store is gone" not in page


def test_the_doctors_last_round_is_a_card_while_something_is_not_green(
    page_of_world: tuple[Client, factories.World],
) -> None:
    check = {"name": "clock", "tone": "warn", "found": "2 s apart", "why": "leases", "fix": "set the clock"}
    Heartbeat.objects.update_or_create(
        name="doctor", defaults={"beat_at": timezone.now(), "detail": {"checks": [check]}}
    )

    page = page_of_world[0].get("/admin/").content.decode()

    assert "2 s apart" in page
    assert "Could not be read" not in page


def test_only_proven_is_green() -> None:
    assert [formatting.tone_of(word) for word in ("proven", "stored", "routine")] == ["ok", "idle", "idle"]


def test_the_doctor_comes_after_the_verification_that_it_reads() -> None:
    order = list(tick._jobs)

    assert order.index("ledger.verify") < order.index("doctor")


def test_the_backups_card_says_what_was_promised_beside_what_is(page_of_world: tuple[Client, factories.World]) -> None:
    Policy.objects.filter(name="audit-trail").update(
        cron="0 */6 * * *", time_zone="UTC", grace_minutes=30, rto_budget_seconds=900
    )

    card = page_of_world[0].get("/admin/").text.partition("Backups · production")[2].partition("</section>")[0]

    assert "promised every 6 h 30 m" in card
    assert "budget 15 m 0 s" in card
    assert re.search(r"<dt>Stored</dt><dd>[\d.]+ [kMG]?B", card)
    assert "nothing stored" in card  # the run that failed is a stub, and named in the table


def test_a_proven_run_is_late_once_it_is_older_than_its_schedule_promises(
    page_of_world: tuple[Client, factories.World],
) -> None:
    client, _ = page_of_world
    ago = timezone.now() - timedelta(hours=7)
    Run.objects.filter(status="failed").update(started_at=ago - timedelta(days=1))
    Run.objects.update(proven_at=ago)
    for cron, late in (("0 */6 * * *", True), ("0 0 * * *", False)):
        Policy.objects.update(cron=cron, grace_minutes=30)
        text = client.get("/admin/panels/").text

        assert ("Late" in text.partition("Newest proven backup")[0][-400:]) == late, cron


@pytest.mark.parametrize("status", ["late", "missed", "failed"])
def test_a_red_slot_says_its_state_once(page_of_world: tuple[Client, factories.World], status: str) -> None:
    client, _ = page_of_world
    Slot.objects.create(policy=Policy.objects.get(name="audit-trail"), at=timezone.now(), status=status, reason="Why.")

    card = client.get("/admin/panels/").text.partition("Backup slots")
    words = strip_tags(card[0].rpartition("<li>")[2] + card[2].partition("</li>")[0]).lower()

    assert words.count(status) == 1, words
    assert "audit-trail, due " in words
    assert "slots" in words


def test_a_mail_address_on_a_card_breaks_behind_its_at_sign_only() -> None:
    panel = Panel("Live", "8a9ceef", detail="alfonso@sampelit.example · <b>")

    text = render_to_string("admin/includes/panels.html", {"calm": [panel], "needs": []})

    assert "alfonso@<wbr>sampelit.example · &lt;b&gt;" in text
