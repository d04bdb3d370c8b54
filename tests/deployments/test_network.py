"""Who may reach a project's database, held against Render's addresses; bans, writes refused, upgrades, and its logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deployments import network, workspace
from deployments.models import Deployment, Service
from deployments.web import remote
from operations.engine import kinds
from operations.engine.request import request
from operations.models import Environment, Heartbeat, Operation
from providers.errors import Refused
from providers.http.errors import Misshapen
from providers.supabase import Supabase
from tests.deployments.conftest import finish
from tests.people import holder
from tests.providers.supabase_client import Answering, client
from tests.supabase_sandbox import REF, Stand, running

pytestmark = pytest.mark.django_db
OURS, OTHERS = ["203.0.113.10", "203.0.113.11"], "198.51.100.7"
Act = Callable[..., Operation]

COVERED = [
    (["203.0.113.10"], ["203.0.113.0/24"], []),
    (["203.0.113.10"], ["203.0.113.10"], []),
    (["203.0.113.10", "198.51.100.1"], ["203.0.113.10/32"], ["198.51.100.1"]),
    (["203.0.113.0/24"], ["203.0.113.0/25"], ["203.0.113.0/24"]),
    (["203.0.113.10"], [], ["203.0.113.10"]),
    (["203.0.113.10"], ["::/0"], ["203.0.113.10"]),
    (["2001:db8::1"], ["2001:db8::/32", "203.0.113.0/24"], []),
    (["2001:db8::1"], ["0.0.0.0/0"], ["2001:db8::1"]),
    ([" 203.0.113.10 "], ["203.0.113.10/24"], []),
    (["a name", ""], ["203.0.113.0/24"], []),
    (["203.0.113.10"], ["a word", "203.0.113.0/33"], ["203.0.113.10"]),
]


@pytest.mark.parametrize(("addresses", "allowed", "outside"), COVERED)
def test_which_addresses_a_list_leaves_out(addresses: list[str], allowed: list[str], outside: list[str]) -> None:
    assert network.outside(addresses, allowed) == outside


@pytest.fixture
def stand(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    with stamina.set_testing(True, attempts=2), running(tmp_path / "supabase", monkeypatch) as stand:
        settings.SUPABASE_ACCESS_TOKEN, settings.SUPABASE_API_BASE = stand.world.token, stand.base
        settings.DEPLOY_WATCH_SECONDS = 0.01
        yield stand


@pytest.fixture
def place(transactional_db: None, stand: Stand) -> Environment:
    """Production with one service at Render, whose addresses the restricted project does not list."""
    made = Environment.objects.create(
        slug="production", name="Production", kind="production", supabase_ref=REF, votes_sensitive=0
    )
    Service.objects.create(render_id="srv-1", name="api", type="web_service", environment=made)
    Heartbeat.objects.keep(workspace.KEPT, {"addresses": {"srv-1": OURS}})
    stand.world.projects[REF] |= {"cidrs": ["192.0.2.0/24"], "cidrs_v6": []}
    return made


@pytest.fixture
def look(place: Environment, stand: Stand) -> Callable[[], network.Network]:
    def look() -> network.Network:
        network.read(Supabase(stand.world.token, stand.base), place)
        return network.known(place)

    return look


@pytest.fixture
def act(place: Environment) -> Act:
    by = holder("operator", "deployments.configure", "deployments.maintain", "operations.view_operation")

    def act(verb: str, **parameters: str) -> Operation:
        given = {"by": by, "environment": place, "parameters": parameters, "reason": "test"}
        return finish(request(f"deployments.{verb}", **given))

    return act


@pytest.mark.parametrize("fault", [None, {"status": 502, "after": True}])
def test_renders_addresses_are_let_in_and_the_rest_of_the_list_stays(
    place: Environment, look: Callable[[], network.Network], stand: Stand, act: Act, fault: dict[str, Any] | None
) -> None:
    look()
    check = next(network.reach(place))
    assert (check.tone, "not in the allow-list: 203.0.113.10 (api)" in check.found) == ("bad", True)
    if fault:
        stand.control("POST", "faults", {"match": "PATCH .*network-restrictions", "message": "x"} | fault)

    done = act("allow_render")

    assert (done.status, done.error) == ("succeeded", "")
    assert stand.world.projects[REF]["cidrs"] == ["192.0.2.0/24", *(f"{one}/32" for one in OURS)]
    assert sum("network-restrictions" in call for call in stand.writes()) == 1
    assert next(network.reach(place)).tone == "ok"
    with pytest.raises(Refused, match="Every address of Render's services is in the list"):
        act("allow_render")


def test_no_other_address_is_let_in_by_that_verb(look: Callable[[], network.Network], act: Act) -> None:
    look()

    with pytest.raises(Refused, match=r"198\.51\.100\.7 is no address of Render's"):
        act("allow_render", addresses=f"{OURS[0]} {OTHERS}")


@pytest.mark.parametrize(("address", "risk"), [(OURS[0], "routine"), (OTHERS, "sensitive")])
def test_a_ban_is_lifted_once_and_one_of_render_by_one_person(
    place: Environment, look: Callable[[], network.Network], stand: Stand, act: Act, address: str, risk: str
) -> None:
    stand.world.projects[REF]["banned"] = [OURS[0], OTHERS]
    look()
    assert "Render's addresses are banned: 203.0.113.10 (api)" in next(network.reach(place)).found
    stand.control("POST", "faults", {"match": "DELETE .*network-bans", "message": "x", "status": 502, "after": True})

    done = act("unban", address=address)

    assert (done.status, done.risk) == ("succeeded", risk)
    assert stand.world.projects[REF]["banned"] == [one for one in (OURS[0], OTHERS) if one != address]
    assert sum(call.startswith("DELETE") for call in stand.writes()) == 1


def test_refused_writes_are_red_and_lifted_once(
    place: Environment, look: Callable[[], network.Network], stand: Stand, act: Act
) -> None:
    look()
    with pytest.raises(Refused, match="did not refuse writes"):
        act("lift_read_only")
    stand.world.projects[REF]["read_only"] = True
    look()
    assert ("production database writes", "bad") in [(check.name, check.tone) for check in network.reach(place)]

    done = act("lift_read_only")

    assert (done.status, done.risk, bool(done.result["until"])) == ("succeeded", "routine", True)
    assert sum("temporary-disable" in call for call in stand.writes()) == 1


def test_what_an_upgrade_needs_is_told_also_of_a_kind_that_nobody_knows(
    place: Environment, stand: Stand, act: Act
) -> None:
    stand.world.projects[REF] |= {
        "in_the_way": [
            {"type": "unsupported_extension", "extension_name": "timescaledb"},
            {"type": "a_reason_of_2027", "what": ["this", "that"]},
        ],
        "upgrade": {"initiated_at": "x", "latest_status_at": "2026-11-01T00:00:00Z", "progress": "9_completed_upgrade"},
    }

    done = act("check_upgrade")

    assert done.result["in_the_way"] == ["unsupported extension: timescaledb", "a reason of 2027: this, that"]
    assert (done.result["eligible"], done.result["last"]) == (False, "9_completed_upgrade")
    assert "In the way: a reason of 2027" in done.log
    assert stand.writes() == []


def test_an_open_list_asks_for_nothing_and_one_that_is_not_read_says_so(place: Environment, stand: Stand, look) -> None:
    kind = kinds.get("deployments.allow_render")
    assert list(network.reach(place)) == []
    with pytest.raises(Refused, match="was not read yet"):
        kind.clean(place, {})
    stand.world.projects[REF]["cidrs"] = ["0.0.0.0/0"]
    look()

    assert next(network.reach(None)).found == "every address may connect"
    with pytest.raises(Refused, match="Every address may reach"):
        kind.clean(place, {})


def test_a_part_that_the_token_may_not_read_keeps_what_was_known(
    look: Callable[[], network.Network], stand: Stand
) -> None:
    before = look()
    stand.control("POST", "faults", {"match": "GET .*network-restrictions", "status": 403, "message": "no", "times": 2})

    after = look()

    assert after.allowed == before.allowed == ["192.0.2.0/24"]
    assert list(after.notes) == ["allow-list"]


def test_logs_are_asked_as_announced_and_read_in_both_kinds_of_time() -> None:
    at = timezone.now()
    lines = [
        {"timestamp": 1_795_392_306_000_000, "source_name": "postgres_logs", "event_message": "newer"},
        {"timestamp": "2026-11-23T04:05:00Z", "source_name": "postgres_logs", "event_message": "older"},
    ]
    adapter = Answering(body={"result": lines})

    read = client(adapter).logs.tail(REF, ["postgres_logs"], at - timedelta(minutes=5), at)

    asked = adapter.requests[0].url or ""
    assert f"/v1/projects/{REF}/analytics/endpoints/logs?" in asked
    assert "FROM+logs+WHERE+source_name+IN" in asked
    assert [(line.message, line.at.year) for line in read if line.at] == [("older", 2026), ("newer", 2026)]
    with pytest.raises(Misshapen, match="could not read its logs"):
        client(Answering(body={"error": "syntax"})).logs.tail(REF, ["postgres_logs"], at, at)
    with pytest.raises(Refused, match="Nothing was asked"):
        client(adapter).logs.tail(REF, ["x'); DROP"], at, at)


@pytest.fixture
def root(place: Environment) -> Client:
    cache.clear()
    remote._fetches.clear()
    browser = Client()
    browser.force_login(User.objects.create_superuser("root", password="a-long-password"))
    return browser


def test_a_form_that_nothing_is_to_be_filled_in_says_why_it_is_refused(root: Client, place: Environment) -> None:
    """What is certain to be refused is told before anybody writes a reason for it."""
    for kind in ("deployments.lift_read_only", "deployments.allow_render"):
        page = root.get(reverse("admin:operations_request", args=[kind]) + f"?environment={place.slug}").text

        assert "Nothing was requested." in page
        assert "Fill in the form" not in page


def test_an_empty_list_says_that_nothing_is_known(root: Client, place: Environment) -> None:
    page = root.get(reverse("admin:operations_request", args=["deployments.run_cron"]) + "?environment=production").text

    assert "none known on production" in page


def test_the_log_of_the_database_is_where_a_person_looks_for_it(root: Client, place: Environment) -> None:
    service = Service.objects.get()
    row = Deployment.objects.create(
        render_id="dep-1", service=service, status="live", created_at=timezone.now() - timedelta(minutes=9)
    )

    health = root.get(reverse("admin:deployments_environment", args=["production"])).content.decode()
    deploy = root.get(reverse("admin:deployments_deployment_change", args=[row.pk])).content.decode()

    for page in (health, deploy):
        assert "checkpoint complete" in page
        assert "capture-lead: stored a lead" in page
    root.force_login(holder("viewer", "deployments.view_service", "deployments.view_deployment"))
    assert "checkpoint complete" not in root.get(reverse("admin:deployments_environment", args=["production"])).text


def test_who_is_shut_out_is_on_the_pages_of_connecting_and_of_health(
    root: Client, look: Callable[[], network.Network]
) -> None:
    look()

    for address in (reverse("admin:connect"), reverse("admin:deployments_environment", args=["production"])):
        assert "are not in the allow-list: 203.0.113.10" in root.get(address).content.decode().replace("&#x27;", "'")
