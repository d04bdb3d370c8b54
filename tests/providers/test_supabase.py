"""What the client makes of refusals, empty answers and mistakes: a typed error each, nothing sent twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from providers.errors import ProviderError, Refused
from providers.http.errors import PlanTooLow, RateLimited, Rejected, Unauthorized, Unavailable, UnknownOutcome
from providers.supabase import Supabase, project_ref
from tests.providers.supabase_client import AT, REF, TOKEN, Answering, client

Call = Callable[[Supabase], Any]


def test_recovery_is_asked_in_whole_seconds() -> None:
    adapter = Answering(201)

    client(adapter).backups.restore_to(REF, AT)

    assert json.loads(adapter.requests[0].body or b"") == {"recovery_time_target_unix": 1795406706}


NO_BACKUPS = {"region": "eu", "pitr_enabled": False, "backups": [], "physical_backup_data": {}}


def test_no_backups_is_an_empty_list_and_not_an_error() -> None:
    backups = client(Answering(body=NO_BACKUPS)).backups.list(REF)

    assert (backups.entries, backups.earliest, backups.restorable) == ((), None, ())


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, Rejected),
        (401, Unauthorized),
        (402, PlanTooLow),
        (403, Unauthorized),
        (429, RateLimited),
        (500, UnknownOutcome),
    ],
)
def test_each_refusal_of_a_write_is_a_typed_error_and_is_sent_once(status: int, error: type[ProviderError]) -> None:
    adapter = Answering(status, {"message": f"no, {TOKEN}"})

    with pytest.raises(error) as caught:
        client(adapter).backups.restore(REF, 7)

    assert len(adapter.requests) == 1
    assert TOKEN not in str(caught.value)


def test_a_lost_read_only_query_says_that_nothing_was_changed() -> None:
    with pytest.raises(Unavailable, match="Nothing was changed: the query only reads"):
        client(Answering(502)).network.banned(REF)


def test_a_full_bucket_of_one_project_does_not_block_another() -> None:
    empty = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "50"}
    adapter = Answering(body=[], headers=empty)
    supabase = client(adapter)
    supabase.functions.list(REF)

    with pytest.raises(RateLimited):
        supabase.functions.list(REF)
    assert supabase.functions.list("tsrqponmlkjihgfedcba") == []
    assert len(adapter.requests) == 2


@pytest.mark.parametrize(
    "act",
    [
        lambda s: s.backups.restore_to(REF, AT.replace(tzinfo=None)),
        lambda s: s.backups.create_point(REF, "x" * 21),
        lambda s: s.secrets.set(REF, {"SUPABASE_URL": "x"}),
        lambda s: s.functions.deploy(REF, "hello", {"other.ts": b""}, entrypoint="index.ts"),
    ],
)
def test_what_cannot_be_right_is_refused_before_it_is_sent(act: Call) -> None:
    adapter = Answering()

    with pytest.raises(Refused):
        act(client(adapter))
    assert adapter.requests == []


def test_values_of_secrets_are_dropped() -> None:
    secrets = client(Answering(body=[{"name": "KEY", "value": "hush"}])).secrets.list(REF)

    assert "hush" not in repr(secrets)
    assert secrets[0].name == "KEY"


@pytest.mark.parametrize(
    ("address", "ref"),
    [
        (f"https://{REF}.supabase.co", REF),
        (f"postgresql://postgres:x@db.{REF}.supabase.co:5432/postgres", REF),
        (f"postgresql://postgres.{REF}:x@aws-0-eu.pooler.supabase.com:6543/postgres", REF),
        ("https://example.com", None),
        ("", None),
    ],
)
def test_the_ref_is_found_in_the_products_addresses(address: str, ref: str | None) -> None:
    assert project_ref(address) == ref


def test_calls_are_summed_or_not_told() -> None:
    rows = [{"request_count": 3, "server_err_count": 1}, {"request_count": 2, "server_err_count": None}]

    calls = client(Answering(200, {"result": rows})).functions.calls(REF, "f")
    nothing = client(Answering(200, {"result": [{"timestamp": "x"}]})).functions.calls(REF, "f")

    assert calls is not None
    assert (calls.requests, calls.server_errors, nothing) == (5, 1, None)
