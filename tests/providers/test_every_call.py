"""A call of a provider's client that no contract test makes: a new one fails here until it has its line there."""

from __future__ import annotations

from pathlib import Path

import pytest

from providers.render import Render
from providers.supabase import Supabase

HERE = Path(__file__).parent


def calls_of(client: Render | Supabase) -> list[str]:
    """`part.method` for everything that the client's parts offer."""
    parts = {name: part for name, part in vars(client).items() if type(part).__module__.startswith("providers.")}
    return [
        f"{name}.{method}"
        for name, part in parts.items()
        if name != "http"
        for method in vars(type(part))
        if not method.startswith("_")
    ]


@pytest.mark.parametrize(
    ("client", "contract"),
    [(Render("rnd_contract"), "test_render_contract.py"), (Supabase("sbp_contract"), "test_supabase_contract.py")],
    ids=["render", "supabase"],
)
def test_every_call_has_a_contract(client: Render | Supabase, contract: str) -> None:
    calls, text = calls_of(client), (HERE / contract).read_text(encoding="utf-8")

    assert len(calls) > 20
    assert [call for call in calls if f".{call}(" not in text] == []
