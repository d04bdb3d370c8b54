"""Before anybody asks, a review says what a statement will touch, as the target is now."""

from __future__ import annotations

import re

import psycopg
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from operations.models import Environment
from tests.migrations_registry.applying import add_supabase

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_review_says_how_many_rows_a_statement_touches_how_large_its_table_is_and_what_it_locks(
    production: Environment, precious: None, dsns: dict[str, str], ana: User, client: Client
) -> None:
    with psycopg.connect(dsns["admin"], autocommit=True) as admin:
        admin.execute("GRANT SELECT ON public.precious TO PUBLIC")
        admin.execute("ANALYZE public.precious")
    file = add_supabase(
        1, "DELETE FROM public.precious WHERE id <= 20;\nALTER TABLE public.precious ADD COLUMN more text"
    )
    client.force_login(ana)

    text = client.get(reverse("admin:migrations_registry_migrationfile_change", args=[file.pk])).text

    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))
    for part in ("20 of about 50", "50 33 kB", "public.precious", "ROW EXCLUSIVE", "precious (ACCESS EXCLUSIVE)"):
        assert part in page
