"""No door changes authority, evidence or protection unnoticed: each asks for a second factor or says why not."""

from __future__ import annotations

from fnmatch import fnmatch

import pytest
from django.contrib import admin

from operations.engine import kinds
from operations.factors.acts import ACTS
from tests.sampelit_ops.permission_table import LET_IN
from tests.sampelit_ops.signin.doors import ASKS, FREE, FREE_KINDS
from tests.sampelit_ops.token_doors import DOORS


def doors() -> set[str]:
    """What `test_permission_matrix` finds to act, every action of a list, and every command that acts for a person."""
    addresses = {line.partition(" ")[2] for line in LET_IN if not line.startswith("GET ")}
    actions = {
        f"{model._meta.label_lower}.{action if isinstance(action, str) else action.__name__}"
        for model, registered in admin.site._registry.items()
        for action in registered.actions or ()
    }
    commands = {" ".join(door.command[: 2 if door.command[0] == "ops" else 1]) for door in DOORS}
    return addresses | actions | commands


def test_every_door_asks_or_says_why_not() -> None:
    said = set(ASKS) | set(FREE)

    assert sorted(doors() ^ said) == []
    assert sorted(set(ASKS) & set(FREE)) == []


def test_every_grave_act_is_behind_a_door() -> None:
    assert {act for acts in ASKS.values() for act in acts.split()} == set(ACTS)


def test_every_kind_asks_or_says_why_not() -> None:
    silent = {name for name, kind in kinds.registry.kinds.items() if not kind.step_up}
    said = {name for name in kinds.registry.kinds for pattern in FREE_KINDS if fnmatch(name, pattern)}

    assert sorted(silent ^ said) == []


@pytest.mark.parametrize("pattern", sorted(FREE_KINDS))
def test_every_reason_is_about_a_kind(pattern: str) -> None:
    assert any(fnmatch(name, pattern) for name in kinds.registry.kinds)
