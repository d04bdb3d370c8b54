"""Before values are destroyed: a proven restore point, and what is written after it comes back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.test import Client
from django.urls import reverse

from backups.archive.loader import Loader
from backups.models import Incident, ProviderBackup, Run, named
from migrations_registry.apply import failpoints, late_rows_copy, restore_point
from migrations_registry.models import Application, RulePolicy
from operations.models import Environment
from providers.http.errors import PlanTooLow
from providers.supabase import RestorePoint
from tests.migrations_registry.applying import Act, add_supabase, history, rows

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_providers_restore_point_lies_beside_ours(
    baselined: Environment, act: Act, dsns: dict[str, str], backups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked once, before our copy; whatever it answers, ours is proven."""
    answers: list[Any] = [RestorePoint("apply-x", "AVAILABLE"), PlanTooLow("Your plan has no restore points.")]

    class Backups:
        def create_point(self, ref: str, name: str) -> RestorePoint:
            assert (ref, len(name)) == ("abcdefghijklmnopqrst", 18)
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    Environment.objects.update(supabase_ref="abcdefghijklmnopqrst")
    monkeypatch.setattr(restore_point, "configured", lambda: True)
    monkeypatch.setattr(restore_point, "supabase", lambda **_: SimpleNamespace(backups=Backups()))
    log: list[str] = []
    known = SimpleNamespace(pk="0" * 26, result={})
    context = SimpleNamespace(
        operation=known,
        key=known.pk,
        environment=Environment.objects.get(),
        state={},
        log=log.append,
        save_state=lambda: None,
        result=known.result.update,
    )
    restore_point.mark(context)  # type: ignore[arg-type]
    restore_point.mark(context)  # type: ignore[arg-type]
    assert log == ["Supabase's own restore point apply-x is available, beside ours."]
    assert ProviderBackup.objects.get().external_id == "apply-x"

    operation = act("migrations.apply", file=add_supabase(2, "ALTER TABLE leads DROP COLUMN message").sha256)
    assert operation.status == "succeeded", operation.error
    assert answers == []
    assert "Supabase gives no restore point of its own (Your plan has no restore points.)" in operation.log
    run = Run.objects.get(pk=operation.result["restore_point"])
    assert (run.status, run.tables) == ("proven", ["public.leads"])


def test_what_was_written_after_the_restore_point_comes_back(
    baselined: Environment,
    act: Act,
    dsns: dict[str, str],
    backups: None,
    monkeypatch: pytest.MonkeyPatch,
    admin_client: Client,
) -> None:
    def late() -> None:
        with psycopg.connect(dsns["app"], autocommit=True) as app:
            app.execute("INSERT INTO leads (email, message) VALUES ('late@example.com', 'do not lose me')")

    monkeypatch.setitem(failpoints.armed, "restore_point.proven", late)
    operation = act("migrations.apply", file=add_supabase(2, "ALTER TABLE leads DROP COLUMN message").sha256)
    assert operation.status == "succeeded", operation.error
    row = Application.objects.get()
    assert row.steps[0]["kept"]["rows"] == 1
    page = admin_client.get(reverse("admin:migrations_registry_application_change", args=[row.pk])).text
    assert f">{named.title_of(operation.result['restore_point'])}</a>" in page

    monkeypatch.setenv("SAMPELIT_PRODUCTION_RESTORE_DSN", dsns["admin"])
    restored = act("backups.restore", run=operation.result["restore_point"], target="schema:back")
    assert restored.status == "succeeded", restored.error
    late_rows = "SELECT message FROM back.leads WHERE email = 'late@example.com'"
    assert rows(dsns["admin"], late_rows) == [("do not lose me",)]
    assert "1 rows of back.leads, written after the run" in " ".join(restored.result["notes"])


def test_an_empty_table_may_be_dropped(
    baselined: Environment, act: Act, dsns: dict[str, str], backups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = act("migrations.apply", file=add_supabase(2, "CREATE TABLE hollow (id integer)").sha256)

    def late() -> None:
        rows(dsns["admin"], "INSERT INTO hollow VALUES (7) RETURNING id")

    monkeypatch.setitem(failpoints.armed, "restore_point.proven", late)
    operation = act("migrations.apply", file=add_supabase(3, "DROP TABLE hollow").sha256)
    assert (made.status, operation.status) == ("succeeded", "succeeded"), operation.error
    assert Application.objects.latest("pk").steps[0]["kept"]["rows"] == 1
    assert not Incident.objects.exists()


def test_too_busy_to_be_kept_in_time_changes_nothing(
    baselined: Environment, act: Act, dsns: dict[str, str], backups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    RulePolicy.objects.create(version=1, created_by="ana", maintenance_seconds=1)
    real = late_rows_copy.counts
    monkeypatch.setattr(
        late_rows_copy, "counts", lambda on, *rest: (on.execute("SELECT pg_sleep(5)"), real(on, *rest))[1]
    )
    operation = act("migrations.apply", file=add_supabase(2, "ALTER TABLE leads DROP COLUMN message").sha256)
    assert operation.status == "failed"
    assert "took longer than 1 s. The transaction was rolled back, nothing was changed" in operation.error
    assert rows(dsns["admin"], "SELECT count(message) > 0 FROM leads") == [(True,)]
    assert len(history(dsns)) == 1


@pytest.mark.parametrize("keep", ["", "copied"])
def test_what_no_drill_can_restore_goes_on_only_if_somebody_chose_it(
    keep: str, baselined: Environment, act: Act, backups: None, dsns: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the drill's server lacks the extension of a column's type."""

    def without(self: Loader) -> list[Any]:
        self.amber["public.leads", ""] = "public.leads could not be made here."
        return []

    monkeypatch.setattr(Loader, "present", without)
    file = add_supabase(2, "DELETE FROM leads")

    operation = act("migrations.apply", file=file.sha256, **({"keep": keep} if keep else {}))

    left = rows(dsns["admin"], "SELECT count(*) FROM leads")
    if keep:
        assert (operation.status, left) == ("succeeded", [(0,)]), operation.error
    else:
        assert operation.status == "failed"
        assert "public.leads could not be made here. Nothing was changed." in operation.error
        assert "keep=copied" in operation.error
        assert left != [(0,)]
