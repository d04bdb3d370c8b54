"""A schema that a restore made is no drift; what only bears its name, or names it, is."""

from __future__ import annotations

import pytest

from migrations_registry.drift.restore_exemption import is_inside
from migrations_registry.fingerprint import Change

OWN = {
    "copy": """
        schema copy|table copy.users|view copy.v|column copy.users.email|constraint copy.users.valid
        default copy.users.role
        index copy.users_pkey|function copy.f(a integer)|type copy.mood|sequence copy.ids|row security copy.users
        policy own on copy.users|trigger "a on public.x" on copy.users|rule keep on copy.users
        comment schema copy|comment table copy.users|comment policy own on copy.users|grants table copy.users
        comment table constraint known on copy.users|table "copy".users|text search dictionary copy.short
    """,
    'my "Copy"': '''
        schema "my ""Copy"""|table "my ""Copy""".users|policy own on "my ""Copy""".users
    ''',
}
OTHERS = {
    "copy": """
        schema public|schema copy2|table public.copy|table public."copy.x"|policy copy on public.users
        policy "a on copy.x" on public.users|policy own on public."x on copy.y"|policy own on public."x on copy.""y"
        trigger copy.t on public.users|trigger copy on public.users|column public.copy.users
        function public.f(copy integer)
        function public.f(a copy.mood)|role copy|role copy.x|publication copy.x|extension copy|event trigger copy.x
        comment role copy.x|comment extension copy|grants foreign server copy.x|comment table public.copy
        comment policy copy on public.users|default grants of x in copy r|subscription copy.x|managed schema copy.x
        settings of role copy.x|role membership copy in pg_read_all_data|table "copy.users"|user mapping copy.x at afar
    """,
    "public users": "table public.users|column public.users.email",
}


def changes(text: str) -> list[Change]:
    kinds = ["row security", "event trigger", "managed schema", "user mapping", "default grants", "settings"]
    kinds += ["role membership", "text search dictionary"]
    made = []
    for line in (part.strip() for row in text.strip().splitlines() for part in row.split("|")):
        kind = next((each for each in kinds if line.startswith(f"{each} ")), line.partition(" ")[0])
        made.append(Change(kind, line.removeprefix(f"{kind} "), "added", "", ""))
    return made


@pytest.mark.parametrize("schema", OWN)
def test_what_lies_in_it_is_its_own(schema: str) -> None:
    assert [str(change) for change in changes(OWN[schema]) if not is_inside(change, schema)] == []


@pytest.mark.parametrize("schema", OTHERS)
def test_what_bears_its_name_elsewhere_is_not(schema: str) -> None:
    assert [str(change) for change in changes(OTHERS[schema]) if is_inside(change, schema)] == []
