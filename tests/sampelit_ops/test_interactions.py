"""The 38 things that people of Render, Heroku, Bytebase and the like expect: each is walked here or names its test.

A row of `WALK` is looked at on a page, one of `ELSEWHERE` is held by the named test.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from backups.models import Incident
from deployments.models import Deployment, Service
from operations.models import Environment, Operation
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
    11: ("SQL is compared with its earlier revision", "review", r"Since revision 1[\s\S]*CREATE INDEX idx_assignments"),
    13: ("a running act shows how far it is", "running", r"1,204,000\s+of\s+2,010,411"),
    14: ("the newest lines of a log", "failed", r'<pre class="log"[^>]*>[^<]*02:00:01 prepared'),
    15: ("what runs can be cancelled", "running", r"/act/cancel/"),
    16: ("a copy is looked into in a scratch database first", "catalogue", r"Restore a run"),
    17: ("stored and proven are two words", "runs", r"<span>Stored</span>[\s\S]*<span>Proven</span>"),
    18: (
        "charts say title, reach and span and have a table",
        "home",
        r'class="axis"[\s\S]*<figcaption><strong>Stored size',
    ),
    21: ("the four figures of delivery, counted", "environment", r"Change failure rate[\s\S]*delivery\.csv"),
    22: ("lists are narrowed by dates, person and place", "operations", r'name="since"[\s\S]*name="until"'),
    23: ("an operation has an address of its own", "running", r"/admin/operations/operation/[0-9A-Z]{26}/"),
    24: ("relative times carry the moment", "operations", r'<time datetime="[^"]+" title="[^"]+ UTC">'),
    25: ("the timeline goes out as CSV and JSON", "timeline", r"export\.csv[\s\S]*export\.json"),
    26: ("a field to search or jump", "home", r'id="jump"'),
    27: ("a theme of one's own", "home", r"theme-toggle"),
    29: ("an empty list teaches", "empty", r"Nothing fits this search"),
    32: ("when the ledger was verified is on every page", "service", r"ledger (not )?verified"),
    33: (
        "a failure says why, whom to call, what to read, how to retry, and its last lines",
        "failed",
        r"The store refused[\s\S]*Owners: the night shift[\s\S]*Runbook[\s\S]*/act/retry/[\s\S]*02:00:02",
    ),
    34: ("a freeze has a reason and an end", "staging", r"load test"),
    35: ("notes about an incident, and all of it as a text", "incident", r"All of it as a text[\s\S]*Note it"),
    36: ("each form shows its line for the shell", "request", "sampelit-ops request"),
    38: ("who answers for a service, and its runbook", "service", r"the night shift[\s\S]*/runbooks/sampelit-api"),
}
ELSEWHERE = {
    6: "test_rollback_switches_autodeploy_off_and_opens_a_task",
    7: "test_a_destructive_request_needs_the_typed_name",
    10: "test_what_was_really_asked_begins_and_the_ledger_holds_its_digest",
    12: "test_the_review_says_how_many_rows_a_statement_touches_how_large_its_table_is_and_what_it_locks",
    19: "test_a_slot_is_late_then_failed_and_told_once_a_day",
    20: "test_the_outside_ping_says_start_then_success_only_after_the_proof_and_fail_else",
    28: "test_search_is_reached_walked_and_opened_by_keyboard",
    30: "test_some_role_may_ask_for_every_kind",
    31: "test_a_disabled_button_says_why",
    37: "test_the_same_key_is_told_once",
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
        "failed": reverse(operation, args=[world.operations["failed"].pk]),
        "incident": reverse("admin:backups_incident_change", args=[Incident.objects.filter(status="open")[0].pk]),
        "environment": reverse("admin:deployments_environment", args=[production]),
        "running": reverse(operation, args=[world.operations["running"].pk]),
        "catalogue": reverse("admin:operations_catalogue"),
        "runs": reverse("admin:backups_run_changelist"),
        "staging": f"{reverse('admin:deployments_environment', args=['staging'])}",
        "request": f"{reverse('admin:operations_request', args=['rehearsal.routine'])}?environment={production}&key=k",
    }


def test_all_38_are_spoken_of_once() -> None:
    assert sorted([*WALK, *ELSEWHERE]) == list(range(1, 39))


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
    Environment.objects.update(owners="the night shift", runbook_url="https://wiki.example/runbooks/{service}")
    texts = {name: client.get(address).text for name, address in addresses(world).items()}

    missed = [(n, what, place) for n, (what, place, mark) in WALK.items() if not re.search(mark, texts[place])]

    assert missed == []
