"""What a provider did not say is neither off, nor on, nor none: a state that decides something is read, or an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from providers.http.errors import Misshapen
from providers.supabase import Supabase
from tests.providers.supabase_client import REF, Answering, client

BACKUPS = {"region": "eu", "walg_enabled": True, "pitr_enabled": False, "backups": [], "physical_backup_data": {}}
RESTRICTIONS = {"entitlement": "allowed", "status": "applied", "config": {"dbAllowedCidrs": ["192.0.2.0/24"]}}
# What is read, a whole answer, the place of the state in it, and what the whole answer says.
STATES: list[tuple[Callable[[Supabase], Any], dict[str, Any], tuple[str, ...], Any]] = [
    (lambda api: api.network.restrictions(REF).open_to_all, RESTRICTIONS, ("config",), False),
    (lambda api: api.network.restrictions(REF).cidrs, RESTRICTIONS, ("config", "dbAllowedCidrs"), ("192.0.2.0/24",)),
    (lambda api: api.network.banned(REF), {"banned_ipv4_addresses": []}, ("banned_ipv4_addresses",), ()),
    (lambda api: api.network.ssl(REF).enforced, {"currentConfig": {"database": True}}, ("currentConfig",), True),
    (
        lambda api: api.network.ssl(REF).enforced,
        {"currentConfig": {"database": False}},
        ("currentConfig", "database"),
        False,
    ),
    (lambda api: api.projects.read_only(REF).enabled, {"enabled": False}, ("enabled",), False),
    (lambda api: api.backups.list(REF).pitr_enabled, BACKUPS, ("pitr_enabled",), False),
    (lambda api: api.backups.list(REF).entries, BACKUPS, ("backups",), ()),
]
ODD = [None, "false", "true", "192.0.2.1", 0, 7]


def asked(read: Callable[[Supabase], Any], answer: Any) -> Any:
    return read(client(Answering(body=answer)))


def with_odd(answer: dict[str, Any], place: tuple[str, ...], odd: Any) -> dict[str, Any]:
    first, *rest = place
    return answer | {first: with_odd(answer[first], tuple(rest), odd) if rest else odd}


@pytest.mark.parametrize(("read", "answer", "place", "says"), STATES, ids=[".".join(row[2]) for row in STATES])
def test_a_state_is_what_was_said_or_an_error(
    read: Callable[[Supabase], Any], answer: dict[str, Any], place: tuple[str, ...], says: Any
) -> None:
    assert asked(read, answer) == says
    for odd in ODD:
        with pytest.raises(Misshapen):
            asked(read, with_odd(answer, place, odd))
    if place != ("config", "dbAllowedCidrs"):  # a project without a list has none
        with pytest.raises(Misshapen):
            asked(read, {key: value for key, value in answer.items() if key != place[0]})


def test_a_project_without_a_list_is_open() -> None:
    assert asked(lambda api: api.network.restrictions(REF).open_to_all, RESTRICTIONS | {"config": {}}) is True
