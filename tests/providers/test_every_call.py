"""Each call of a provider's client: a new one fails here until it has its line in the contract and is needed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from providers.render import Render
from providers.supabase import Supabase

HERE = Path(__file__).parent
APPS = ["backups", "deployments", "migrations_registry", "operations", "sampelit_ops"]


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


@pytest.mark.parametrize("client", [Render("rnd_contract"), Supabase("sbp_contract")], ids=["render", "supabase"])
def test_no_call_is_offered_that_the_portal_never_makes(client: Render | Supabase) -> None:
    """What may change a customer's project is a door: one that nobody needs stays shut."""
    apps = [path for path in HERE.parents[1].glob("*/**/*.py") if path.relative_to(HERE.parents[1]).parts[0] in APPS]
    text = "\n".join(path.read_text(encoding="utf-8") for path in apps)

    assert [call for call in calls_of(client) if not re.search(rf"(?i)\b{call}\b", text)] == []
