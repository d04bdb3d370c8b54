"""Names and rights as the catalogue tells them, taken apart and told back to it."""

from __future__ import annotations

import pytest

from migrations_registry.undo.losses import unrecoverable
from migrations_registry.undo.rights import grants_back
from providers.postgres.schema.names import parts


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("public.leads", ("public", "leads")),
        ('public."Odd Log"."what is"', ("public", "Odd Log", "what is")),
        ('"a.b"."c""d"', ("a.b", 'c"d')),
    ],
)
def test_a_name_is_its_parts(text: str, names: tuple[str, ...]) -> None:
    assert parts(text) == names


@pytest.mark.parametrize(
    ("was", "now", "statements"),
    [
        ("GRANT SELECT ON TABLE public.t TO r", "", ["GRANT SELECT ON TABLE public.t TO r"]),
        (
            "GRANT INSERT, SELECT WITH GRANT OPTION ON TABLE public.t TO r; GRANT SELECT ON TABLE public.t TO PUBLIC",
            "GRANT UPDATE ON TABLE public.t TO other",
            [
                "REVOKE ALL ON TABLE public.t FROM other",
                "GRANT INSERT ON TABLE public.t TO r",
                "GRANT SELECT ON TABLE public.t TO r WITH GRANT OPTION",
                "GRANT SELECT ON TABLE public.t TO PUBLIC",
            ],
        ),
        (
            'GRANT SELECT ON COLUMN public."T t".c TO r',
            'GRANT UPDATE ON COLUMN public."T t".c TO r',
            ['REVOKE ALL (c) ON TABLE public."T t" FROM r', 'GRANT SELECT (c) ON TABLE public."T t" TO r'],
        ),
        ("-- nobody", "GRANT SELECT ON TABLE t TO r", ["REVOKE ALL ON TABLE t FROM r"]),
    ],
)
def test_rights_are_given_again(was: str, now: str, statements: list[str]) -> None:
    assert list(grants_back("table t", was, now)) == statements


@pytest.mark.parametrize(
    ("verb", "kind", "told"),
    [
        ("set back", "sequence", True),
        ("dropped", "role", True),
        ("created", "role", False),
        ("dropped", "table", False),
        ("altered", "publication", True),
    ],
)
def test_what_no_copy_holds_is_told(verb: str, kind: str, told: bool) -> None:
    assert bool(list(unrecoverable([{"verb": verb, "kind": kind, "name": ["a"]}]))) is told
