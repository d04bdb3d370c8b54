"""The rest of the Management API's stand-in, through our own client: functions, settings, faults."""

from __future__ import annotations

import psycopg
import pytest
import requests

from providers.errors import ProviderError
from providers.http.errors import NotFound, PlanTooLow, RateLimited, Rejected, Unauthorized, UnknownOutcome
from providers.supabase import Supabase
from tests import openapi
from tests.supabase_platform import REF, Platform

pytestmark = pytest.mark.slow


def test_functions_are_deployed_called_and_deleted(platform: Platform) -> None:
    functions, address = platform.client.functions, f"{platform.api.base}/functions/v1/{REF}/hello"
    first = functions.deploy(REF, "hello", {"index.ts": b"Deno.serve()"}, entrypoint="index.ts")
    second = functions.deploy(REF, "hello", {"index.ts": b"throw new Error('x')"}, entrypoint="index.ts")
    broken = requests.post(address, timeout=5).status_code
    third = functions.deploy(REF, "hello", {"index.ts": b"Deno.serve()"}, entrypoint="index.ts")
    leads = platform.scalar("SELECT count(*) FROM leads")
    healthy = requests.post(address, timeout=5).status_code

    assert [first.version, second.version, third.version] == [1, 2, 3]
    assert first.bundle_sha256 == third.bundle_sha256 != second.bundle_sha256
    assert (broken, healthy) == (500, 200)
    assert platform.scalar("SELECT count(*) FROM leads") == leads + 1
    functions.delete(REF, "hello")
    assert [function.slug for function in functions.list(REF)] == ["capture-lead"]
    with pytest.raises(NotFound):
        functions.get(REF, "hello")


def test_a_kept_bundle_brings_a_function_back(platform: Platform) -> None:
    functions = platform.client.functions
    first = functions.deploy(REF, "hello", {"index.ts": b"Deno.serve() // \xc3\xb1"}, entrypoint="index.ts")
    bundle = functions.bundle(REF, "hello")
    functions.deploy(REF, "hello", {"index.ts": b"throw new Error('x')"}, entrypoint="index.ts")

    back = functions.put_bundle(REF, "hello", bundle, entrypoint="index.ts", verify_jwt=False)

    assert (back.version, back.bundle_sha256, back.verify_jwt) == (3, first.bundle_sha256, False)


def test_secrets_advisors_and_network_settings_are_stateful(platform: Platform) -> None:
    client = platform.client
    client.secrets.set(REF, {"STRIPE_KEY": "hush"})
    client.secrets.set(REF, {"OTHER": "x"})
    client.secrets.delete(REF, ["OTHER"])
    assert [secret.name for secret in client.secrets.list(REF)] == ["MAIL_KEY", "STRIPE_KEY"]

    before = {lint.name for lint in client.advisors.security(REF)}
    platform.api.world.projects[REF].update(cidrs=["203.0.113.0/24"], cidrs_v6=[], ssl=True)
    after = {lint.name for lint in client.advisors.security(REF)}

    assert before - after == {"network_restrictions_not_set", "ssl_not_enforced"}
    assert "rls_disabled_in_public" in after
    assert {lint.name for lint in client.advisors.performance(REF)} == {"unindexed_foreign_keys"}
    assert client.network.ssl(REF).enforced
    assert not client.network.restrictions(REF).open_to_all


def test_a_paused_project_answers_nothing_until_it_is_resumed(platform: Platform) -> None:
    platform.client.http.send("POST", f"/v1/projects/{REF}/pause")
    paused = platform.client.projects.get(REF)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(platform.dsn("app"))
    with pytest.raises(Rejected, match="not active"):
        platform.client.advisors.security(REF)
    unhealthy = {service.status for service in platform.client.projects.health(REF)}
    platform.client.projects.resume(REF)

    assert (paused.paused, unhealthy) == (True, {"UNHEALTHY"})
    assert platform.scalar() == 300


@pytest.mark.parametrize(
    ("status", "error"),
    [(402, PlanTooLow), (403, Unauthorized), (404, NotFound), (429, RateLimited), (500, UnknownOutcome)],
)
def test_faults_answer_as_told_and_change_nothing(platform: Platform, status: int, error: type[ProviderError]) -> None:
    platform.control("POST", "faults", {"match": "POST .*/secrets", "status": status})

    with pytest.raises(error):
        platform.client.secrets.set(REF, {"A": "b"})
    assert platform.api.world.projects[REF]["secrets"].keys() == {"MAIL_KEY"}


def test_a_fault_may_come_after_the_act(platform: Platform) -> None:
    platform.control("POST", "faults", {"match": "POST .*/secrets", "status": 502, "after": True})

    with pytest.raises(UnknownOutcome):
        platform.client.secrets.set(REF, {"A": "b"})
    assert [secret.name for secret in platform.client.secrets.list(REF)] == ["MAIL_KEY", "A"]


def test_a_revoked_or_wrong_token_is_refused(platform: Platform) -> None:
    with pytest.raises(Unauthorized):
        Supabase("sbp_wrong0000", platform.api.base, deadline=1).projects.list()
    platform.control("PATCH", "token", {"valid": False})
    with pytest.raises(Unauthorized):
        platform.client.projects.list()


def test_internal_endpoints_can_refuse(platform: Platform) -> None:
    platform.control("PATCH", f"projects/{REF}", {"internal_endpoints": False})

    with pytest.raises(Unauthorized):
        platform.client.backups.restore(REF, 1000)
    assert platform.client.projects.get(REF).healthy


@pytest.mark.specs
@pytest.mark.parametrize(
    "path",
    [
        "",
        "/health?services=db&services=rest",
        "/database/backups",
        "/functions",
        "/secrets",
        "/ssl-enforcement",
        "/network-restrictions",
        "/config/database/pooler",
        "/advisors/security",
        "/advisors/performance",
        "/billing/addons",
        "/readonly",
        "/upgrade/eligibility",
        "/upgrade/status",
    ],
)
def test_answers_are_valid_by_the_openapi_file(platform: Platform, path: str) -> None:
    spec = openapi.required(openapi.SUPABASE_AS_PUBLISHED)
    platform.client.functions.deploy(REF, "hello", {"index.ts": b""}, entrypoint="index.ts")
    headers = {"Authorization": f"Bearer {platform.api.world.token}"}

    response = requests.get(f"{platform.api.base}/v1/projects/{REF}{path}", headers=headers, timeout=10)
    response.request = openapi.moved(response.request, platform.api.base, "https://api.supabase.com")

    openapi.check(spec, response.request, response)


def test_a_restart_continues_where_it_was(platform: Platform) -> None:
    platform.client.secrets.set(REF, {"A": "b"})
    world = platform.api.world

    again = type(world)(world.server, world.home, world.recovery, world.token)

    assert again.load()
    assert "A" in again.projects[REF]["secrets"]
