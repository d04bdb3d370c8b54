"""Each request of our client, and the answers it was built on, against Supabase's OpenAPI file and recordings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from providers.errors import ProviderError
from providers.http.errors import Rejected
from providers.supabase import SCOPES, Supabase
from tests import openapi
from tests.providers.supabase_client import AT, REF, Answering, client

SPEC = openapi.SUPABASE_AS_PUBLISHED
RECORDED = openapi.SPECS / "supabase-recorded"

Call = Callable[[Supabase], Any]
NAMED: dict[str, Any] = {"name": "pre-dep-00c0ffee"}
FUNCTION = {"slug": "hello", "id": "f", "name": "hello", "status": "ACTIVE", "version": 3}
CALLS: list[tuple[Call, Any]] = [
    (lambda s: s.organizations.list(), []),
    (lambda s: s.organizations.get("acme"), {"id": "acme", "name": "Acme", "plan": "pro"}),
    (lambda s: s.organizations.members("acme"), []),
    (lambda s: s.projects.list(), []),
    (lambda s: s.projects.get(REF), {"ref": REF}),
    (lambda s: s.projects.health(REF), []),
    (lambda s: s.projects.addons(REF), {"selected_addons": []}),
    (lambda s: s.projects.disk(REF), {"timestamp": "x", "metrics": {"fs_avail_bytes": 7}}),
    (lambda s: s.projects.resume(REF), None),
    (lambda s: s.backups.list(REF), {"backups": [], "pitr_enabled": False}),
    (lambda s: s.backups.restore(REF, 7), None),
    (lambda s: s.backups.restore_to(REF, AT), None),
    (lambda s: s.backups.create_point(REF, "pre-dep-00c0ffee"), NAMED),
    (lambda s: s.backups.point(REF, "pre-dep-00c0ffee"), NAMED),
    (lambda s: s.backups.undo(REF, "pre-dep-00c0ffee"), None),
    (lambda s: s.functions.list(REF), []),
    (lambda s: s.functions.get(REF, "hello"), FUNCTION),
    (lambda s: s.functions.delete(REF, "hello"), None),
    (lambda s: s.functions.bundle(REF, "hello"), {}),
    (lambda s: s.functions.put_bundle(REF, "hello", b"x", entrypoint="index.ts"), FUNCTION),
    (lambda s: s.functions.create_from_bundle(REF, "hello", b"x", entrypoint="index.ts"), FUNCTION),
    (lambda s: s.functions.calls(REF, "f"), {"result": []}),
    (lambda s: s.secrets.list(REF), []),
    (lambda s: s.secrets.set(REF, {"KEY": "value"}), None),
    (lambda s: s.secrets.delete(REF, ["KEY"]), None),
    (lambda s: s.advisors.security(REF), {"lints": []}),
    (lambda s: s.advisors.performance(REF), {"lints": []}),
    (lambda s: s.network.restrictions(REF), {"config": {}}),
    (lambda s: s.network.ssl(REF), {"currentConfig": {"database": True}}),
    (lambda s: s.network.poolers(REF), []),
    (lambda s: s.network.allow(REF, ["203.0.113.0/24"], ["2001:db8::/64"]), {"config": {}}),
    (lambda s: s.network.banned(REF), {"banned_ipv4_addresses": ["203.0.113.9"]}),
    (lambda s: s.network.unban(REF, ["203.0.113.9"]), None),
    (lambda s: s.projects.read_only(REF), {"enabled": True, "override_enabled": False}),
    (lambda s: s.projects.lift_read_only(REF), None),
    (lambda s: s.projects.upgrade(REF), {"eligible": True}),
    (lambda s: s.projects.upgrade_status(REF), {"databaseUpgradeStatus": None}),
]
# Younger than the file: the path and the columns are of the announcement (supabase.com/changelog/48235).
LOGS: tuple[Call, Any] = (lambda s: s.logs.tail(REF, ["postgres_logs"], AT, AT), {"result": []})


@pytest.mark.sampled(3)
@pytest.mark.specs
@pytest.mark.parametrize(("call", "body"), CALLS, ids=range(len(CALLS)))
def test_each_request_is_valid_by_the_openapi_file(call: Call, body: Any) -> None:
    adapter = Answering(body=body)

    call(client(adapter))

    assert len(adapter.requests) == 1
    openapi.check(openapi.required(SPEC), adapter.requests[0])


@pytest.mark.specs
def test_the_scopes_that_set_up_names_are_those_of_the_calls() -> None:
    """Each operation of the published file names its scope; three name none."""
    openapi.required(SPEC)
    paths, asked = json.loads(SPEC.read_text())["paths"], {"analytics:read"}
    for call, body in CALLS:
        adapter = Answering(body=body)
        call(client(adapter))
        asked.add(_scope(paths, adapter.requests[0]))

    assert asked - {None} == set(SCOPES.split(", "))
    assert all(scope in Path("docs/deploy.md").read_text() for scope in SCOPES.split(", "))


def _scope(paths: dict[str, Any], request: Any) -> str | None:
    """By the most literal path that fits."""
    pieces = request.path_url.partition("?")[0].split("/")
    fits = [
        (name.count("{"), operations[request.method.lower()])
        for name, operations in paths.items()
        if request.method.lower() in operations
        and len(parts := name.split("/")) == len(pieces)
        and all(part.startswith("{") or part == piece for part, piece in zip(parts, pieces, strict=True))
    ]
    scope: str | None = min(fits, key=lambda fit: fit[0])[1].get("x-oauth-scope")
    return scope


@pytest.mark.specs
def test_a_function_deploy_is_multipart_with_metadata_and_files() -> None:
    adapter = Answering(201, FUNCTION)

    made = client(adapter).functions.deploy(REF, "hello", {"index.ts": b"Deno.serve()"}, entrypoint="index.ts")

    sent = adapter.requests[0].body
    assert isinstance(sent, bytes)
    assert made.version == 3
    assert b'name="metadata"' in sent
    assert b'filename="index.ts"' in sent
    assert adapter.requests[0].url == f"https://api.supabase.com/v1/projects/{REF}/functions/deploy?slug=hello"
    openapi.required(SPEC)


READERS: dict[str, Call] = {
    "GET_v1_projects": lambda s: s.projects.list(),
    "GET_v1_projects___PROJECT_REF__": lambda s: s.projects.get(REF),
    "GET_v1_projects___PROJECT_REF___advisors_performance": lambda s: s.advisors.performance(REF),
    "GET_v1_projects___PROJECT_REF___advisors_security": lambda s: s.advisors.security(REF),
    "GET_v1_projects___PROJECT_REF___billing_addons": lambda s: s.projects.addons(REF),
    "GET_v1_projects___PROJECT_REF___config_database_pooler": lambda s: s.network.poolers(REF),
    "GET_v1_projects___PROJECT_REF___database_backups": lambda s: s.backups.list(REF),
    "GET_v1_projects___PROJECT_REF___functions": lambda s: s.functions.list(REF),
    "GET_v1_projects___PROJECT_REF___network_restrictions": lambda s: s.network.restrictions(REF),
    "GET_v1_projects___PROJECT_REF___secrets": lambda s: s.secrets.list(REF),
    "GET_v1_projects___PROJECT_REF___ssl_enforcement": lambda s: s.network.ssl(REF),
    "POST_v1_projects___PROJECT_REF___secrets": lambda s: s.secrets.set(REF, {"A": "b"}),
    "DELETE_v1_projects___PROJECT_REF___secrets": lambda s: s.secrets.delete(REF, ["A"]),
}


def recordings(stem: str) -> list[Path]:
    return sorted(path for path in RECORDED.glob(f"{stem}.*.response.json"))


@pytest.mark.specs
@pytest.mark.parametrize("stem", READERS)
def test_recorded_answers_are_understood(stem: str) -> None:
    openapi.required(SPEC)
    assert recordings(stem)
    for path in recordings(stem):
        recorded = json.loads(path.read_text())
        headers = {name: value for name, value in recorded["headers"].items() if name.startswith("x-ratelimit")}
        supabase = client(Answering(recorded["status"], recorded["body"], headers))
        if recorded["status"] < 300:
            READERS[stem](supabase)
        else:
            with pytest.raises(ProviderError):
                READERS[stem](supabase)


@pytest.mark.specs
def test_the_recorded_refusal_of_pitr_is_told_in_its_words() -> None:
    openapi.required(SPEC)
    (path,) = recordings("POST_v1_projects___PROJECT_REF___database_backups_restore_pitr")
    recorded = json.loads(path.read_text())

    with pytest.raises(Rejected, match="PITR is not enabled for this project"):
        client(Answering(recorded["status"], recorded["body"])).backups.restore_to(REF, AT)
