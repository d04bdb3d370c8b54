"""The 38 things that people of Render, Heroku, Bytebase and the like expect: each is walked here or names its test.

A row of `WALK` is looked at on a page, one of `ELSEWHERE` is held by the named test; `MISSING` is not built.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from deployments.models import Deployment, Service
from operations.models import Operation
from tests import factories
from tests.factories_migrations import destructive_pk

WALK = {
    1: (
        "a status is a glyph, a word and a colour",
        "operations",
        r'class="badge bad"><span aria-hidden="true">✕ </span>',
    ),
    2: ("the pill says where one is", "service", r'class="env env-production" title="Where you are">production'),
    3: ("home answers whether all is well", "home", r"Newest proven backup"),
    4: ("one feed of everything", "timeline", r"<th[^>]*>Sentence</th>"),
    5: ("a rollback from the deploy's own page", "service", r"request/deployments\.rollback/\?"),
    8: ("approvals wait for somebody else", "approvals", r"You requested it; somebody else must approve it"),
    9: ("SQL stands on the page of the vote, with findings", "review", r"DROP"),
    13: ("a running act shows how far it is", "running", r"1,204,000\s+of\s+2,010,411"),
    15: ("what runs can be cancelled", "running", r"/act/cancel/"),
    16: ("a copy is looked into in a scratch database first", "catalogue", r"Restore a run"),
    17: ("stored and proven are two words", "runs", r"<span>Stored</span>[\s\S]*<span>Proven</span>"),
    18: (
        "charts say title, reach and span and have a table",
        "home",
        r'class="axis"[\s\S]*<figcaption><strong>Stored size',
    ),
    22: ("lists are narrowed by dates, person and place", "operations", r'name="since"[\s\S]*name="until"'),
    23: ("an operation has an address of its own", "running", r"/admin/operations/operation/[0-9A-Z]{26}/"),
    24: ("relative times carry the moment", "operations", r'<time datetime="[^"]+" title="[^"]+ UTC">'),
    25: ("the timeline goes out as CSV and JSON", "timeline", r"export\.csv[\s\S]*export\.json"),
    26: ("a field to search or jump", "home", r'id="jump"'),
    27: ("a theme of one's own", "home", r"theme-toggle"),
    29: ("an empty list teaches", "empty", r"Nothing fits this search"),
    32: ("when the ledger was verified is on every page", "service", r"ledger (not )?verified"),
    34: ("a freeze has a reason and an end", "staging", r"load test"),
    36: ("each form shows its line for the shell", "request", r"manage\.py ops request"),
}
ELSEWHERE = {
    6: "test_rollback_switches_autodeploy_off_and_opens_a_task",
    7: "test_a_destructive_request_needs_the_typed_name",
    10: "test_what_was_really_asked_begins_and_the_ledger_holds_its_digest",
    11: "test_the_upload_page_keeps_a_zip_and_leads_to_the_review",
    12: "test_a_loss_that_the_analysis_missed_is_rolled_back_and_then_asks_for_votes",
    14: "test_a_job_keeps_its_log",
    19: "test_a_slot_is_late_then_failed_and_told_once_a_day",
    20: "test_the_outside_ping_says_start_then_success_only_after_the_proof_and_fail_else",
    28: "test_search_is_reached_walked_and_opened_by_keyboard",
    30: "test_some_role_may_ask_for_every_kind",
    31: "test_a_disabled_button_says_why",
    33: "test_cards_count_what_waits_and_what_failed",
    37: "test_the_same_key_is_told_once",
}
MISSING = {
    21: "keys of DORA are not counted",
    35: "notes about an incident of the product are kept elsewhere",
    38: "a service's page names neither owners nor runbooks",
}
TESTS = Path(settings.BASE_DIR) / "tests"


def addresses(world: factories.World) -> dict[str, str]:
    service, production = Service.objects.filter(environment=world.production, type="web_service").first(), "production"
    assert service is not None
    operation = "admin:operations_operation_change"
    return {
        "home": reverse("admin:index"),
        "operations": reverse("admin:operations_operation_changelist"),
        "empty": f"{reverse('admin:operations_operation_changelist')}?q=zzzzzz",
        "service": reverse("admin:deployments_service_change", args=[service.pk]),
        "timeline": reverse("admin:ledger_entry_changelist"),
        "approvals": reverse("admin:approvals"),
        "review": reverse("admin:migrations_registry_migrationfile_change", args=[destructive_pk()]),
        "running": reverse(operation, args=[world.operations["running"].pk]),
        "catalogue": reverse("admin:operations_catalogue"),
        "runs": reverse("admin:backups_run_changelist"),
        "staging": f"{reverse('admin:deployments_environment', args=['staging'])}",
        "request": f"{reverse('admin:operations_request', args=['rehearsal.routine'])}?environment={production}&key=k",
    }


def test_all_38_are_spoken_of_once() -> None:
    assert sorted([*WALK, *ELSEWHERE, *MISSING]) == list(range(1, 39))


def test_each_named_test_is_there() -> None:
    there = {
        name for path in TESTS.rglob("test_*.py") for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
    }

    assert sorted(set(ELSEWHERE.values()) - there) == []


@pytest.mark.django_db
def test_each_is_seen_where_it_belongs(client: Client) -> None:
    world = factories.world()
    assert Operation.objects.exists()
    assert Deployment.objects.exists()
    client.force_login(world.everything)
    texts = {name: client.get(address).text for name, address in addresses(world).items()}

    missed = [(n, what, place) for n, (what, place, mark) in WALK.items() if not re.search(mark, texts[place])]

    assert missed == []
