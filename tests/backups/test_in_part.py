"""A run proven in part is nowhere green: not once verified again, read back from its store, listed or restored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from backups.archive import keys
from backups.archive.reader import load
from backups.models import Proof, Run
from backups.proof import steps
from backups.recovery import rebuild
from backups.stores.trusted_manifest import store_of
from operations.engine import kinds
from operations.engine.request import request
from operations.models import Environment
from tests.backups.conftest import ended

pytestmark = pytest.mark.django_db(transaction=True)
FAILS = """CREATE FUNCTION public.f(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN $1; END $$;
CREATE INDEX users_f ON public.users (public.f(email));
CREATE OR REPLACE FUNCTION public.f(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE division_by_zero;
END $$;"""
TOLD = "Could not be checked here: The index users_f could not be rebuilt: division by zero (22012)"


@pytest.fixture
def in_part(spoilt: dict[str, str], ask: Callable) -> Run:
    with psycopg.connect(spoilt["admin"], autocommit=True) as owner:
        owner.execute(FAILS)
    return Run.objects.get(pk=ended(ask()).result["run"])


@pytest.fixture
def verified(production: Environment) -> Iterator[Callable[[Run], Run]]:
    by = User.objects.create_superuser("root", password="long enough password")

    def verified(run: Run) -> Run:
        operation = ended(request("backups.verify", by=by, environment=production, parameters={"run": run.pk}))
        assert operation.status == "succeeded", operation.error
        return Run.objects.get(pk=run.pk)

    return verified


def test_its_reason_follows_the_newest_proof(in_part: Run, verified: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_part.in_part
    assert in_part.reason.startswith(TOLD)
    whole = steps.prove
    with monkeypatch.context() as patch:
        patch.setattr(steps, "prove", lambda *given: replace(whole(*given), amber=()))
        assert verified(in_part).reason == ""

    again = verified(in_part)

    assert (again.in_part, again.proven_at) == (True, in_part.proven_at)
    assert again.reason.startswith(TOLD)


def test_it_is_in_part_after_it_was_read_back_from_its_store(in_part: Run, verified: Callable) -> None:
    verified(in_part)
    store = store_of(in_part)

    for _ in range(2):
        run = rebuild.add(store, load(store, in_part.pk, keys.verifier()))

        run.refresh_from_db()
        assert (run.in_part, run.reason) == (True, in_part.reason)


def test_every_page_and_list_says_so(in_part: Run, admin_client: Client) -> None:
    out = StringIO()
    call_command("list_runs", "--store", in_part.store_url, stdout=out)
    pages = {
        "run": reverse("admin:backups_run_change", args=[in_part.pk]),
        "runs": reverse("admin:backups_run_changelist"),
        "proofs": reverse("admin:backups_proof_changelist"),
        "home": "/admin/",
        "layers": f"{reverse('admin:backups_layers')}?environment={in_part.policy.environment.slug}",
    }
    texts = {name: admin_client.get(address).text for name, address in pages.items()}

    assert "proven in part" in out.getvalue()
    assert {name for name, text in texts.items() if "proven in part" not in text.lower()} == set()
    assert {name for name, text in texts.items() if "</span>Proven</span>" in text} == set()
    assert Proof.objects.get(run=in_part).document["tables_in_part"] == ["public.users"]
    assert texts["run"].count("In part</span>") == 1
    assert Proof.objects.get(run=in_part).word == "proven_in_part"


def test_whoever_restores_it_reads_what_was_not_checked(in_part: Run) -> None:
    kind = kinds.get("backups.restore")

    told = kind.consequences(in_part.policy.environment, {"run": in_part.pk, "target": "scratch"})

    assert [each.tone for each in told if TOLD in each.text] == ["warn"]
