"""The timeline: filters, pages by key, hostile addresses, and who may export or verify."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from ledger import timeline
from ledger.export import safe_cell
from ledger.models import Entry
from ledger.services import record
from sampelit_ops.roles import sync_roles

URL = "/admin/ledger/entry/"


@pytest.fixture
def client_as(db: None) -> Callable[[str], Client]:
    sync_roles()

    def sign_in(role: str) -> Client:
        user = User.objects.create_user(role.lower(), is_staff=True)
        user.groups.set([Group.objects.get(name=role)])
        client = Client()
        client.force_login(user)
        return client

    return sign_in


def _sequences(query: dict[str, str]) -> list[int]:
    return [entry.sequence for entry in timeline.page(timeline.read(query)).entries]


def test_filters(db: None) -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for n, (environment, actor, code) in enumerate(
        [("production", "olga", "backups.a"), ("staging", "olga", "backups.b"), ("production", "ada", "signin.a")]
    ):
        record(code, actor=actor, environment=environment, subject=f"s{n}", at=start + timedelta(days=n))

    assert _sequences({}) == [3, 2, 1]
    assert _sequences({"environment": "production"}) == [3, 1]
    assert _sequences({"actor": "olga"}) == [2, 1]
    assert _sequences({"code": "backups."}) == [2, 1]
    assert _sequences({"code": "backups.b"}) == [2]
    assert _sequences({"subject": "s2"}) == [3]
    assert _sequences({"from": "2026-03-02", "to": "2026-03-02"}) == [2]
    assert _sequences({"from": "2026-03-02"}) == [3, 2]
    assert timeline.choices("code") == ["backups.a", "backups.b", "signin.a"]


def test_pages_cover_everything_once(db: None) -> None:
    same = datetime(2026, 3, 1, tzinfo=UTC)
    for n in range(250):
        record("demo.x", actor="olga", at=same + timedelta(seconds=n // 100))
    filters, key, seen = timeline.read({}), "", []
    for _ in range(3):
        page = timeline.page(filters, key)
        seen += [entry.sequence for entry in page.entries]
        key = page.next_key

    assert seen == list(range(250, 0, -1))
    assert key == ""


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"},
        {"to": "9999-12-31"},
        {"from": "0001-01-01"},
        {"code": "%"},
        {"before": "nonsense"},
        {"before": "2026-01-01T00:00:00~1"},
        {"before": "2026-01-01T00:00:00+00:00~" + "9" * 40},
        {"environment": "'; DROP TABLE ledger_entry; --"},
    ],
)
def test_hostile_addresses(client_as: Callable[[str], Client], query: dict[str, str]) -> None:
    assert client_as("Viewer").get(URL, query).status_code == 200


def test_an_actor_with_a_nul(client_as: Callable[[str], Client]) -> None:
    assert client_as("Viewer").get(URL, {"actor": "x\x00y"}).status_code == 400


def test_the_page(client_as: Callable[[str], Client], django_assert_max_num_queries: Callable[[int], object]) -> None:
    client = client_as("Auditor")
    for n in range(3):
        record("demo.x", actor="olga", subject=f"<b>{n}</b>")
    client.get(URL)

    with django_assert_max_num_queries(12):
        html = client.get(URL).content.decode()

    assert "&lt;b&gt;2" in html
    assert "<b>2" not in html
    assert "Export as CSV" in html
    assert client.get(f"{URL}3/change/").status_code == 200


def test_csv_export_is_safe_and_recorded(client_as: Callable[[str], Client]) -> None:
    record("demo.x", actor="olga", subject='=HYPERLINK("http://x")', data={"n": 1})
    record("demo.y", actor="ada")
    client = client_as("Auditor")

    response = client.get(reverse("admin:ledger_export", args=["csv"]), {"actor": "olga"})
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))

    assert [row["sequence"] for row in rows] == ["1"]
    assert rows[0]["subject"] == '\'=HYPERLINK("http://x")'
    assert Entry.objects.get(code="ledger.exported").payload == {"format": "csv", "filters": {"actor": "olga"}}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_export(client_as: Callable[[str], Client], count: int) -> None:
    for n in range(count):
        record("demo.x", actor="olga", data={"n": n})

    response = client_as("Auditor").get(reverse("admin:ledger_export", args=["json"]), {"code": "demo.x"})

    assert [row["sequence"] for row in json.loads(b"".join(response.streaming_content))] == list(range(count, 0, -1))


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "\r\n", "＝", "＋", "－", "＠"])
def test_a_cell_that_begins_like_a_formula_is_none(first: str) -> None:
    assert safe_cell(f"{first}1") == f"'{first}1"


@pytest.mark.parametrize("value", ["ok", "1=1", "", 5, None, True])
def test_another_cell_stays_as_it_is(value: object) -> None:
    assert safe_cell(value) == value


def test_a_viewer_may_look_but_not_export_or_verify(client_as: Callable[[str], Client]) -> None:
    client = client_as("Viewer")

    assert client.get(URL).status_code == 200
    assert client.get(reverse("admin:ledger_export", args=["csv"])).status_code == 403
    assert client.post(reverse("admin:ledger_verify")).status_code == 403
    assert client.get(f"{URL}add/").status_code == 403


def test_verify_on_demand(client_as: Callable[[str], Client]) -> None:
    client = client_as("Auditor")
    record("demo.x", actor="olga")

    response = client.post(reverse("admin:ledger_verify"), follow=True)

    assert "Valid: 1 entry" in response.content.decode()
    assert Entry.objects.filter(code="ledger.verified", actor="auditor").exists()


def test_unknown_format(client_as: Callable[[str], Client]) -> None:
    assert client_as("Auditor").get(URL + "export.xlsx").status_code == 404
