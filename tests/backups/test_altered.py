"""From the forged row to the person: the run stays a proven copy, the alarm stays until somebody explains it."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from django.contrib.auth.models import User

from backups.incidents import service as incidents_service
from backups.models import Incident, Policy, Proof, Run
from backups.proof import outcome
from backups.proof.baseline import last_good
from operations.engine.request import request
from operations.models import Environment, Notification
from providers.storage.factory import open_store
from tests.backups.conftest import ended
from tests.ledger_last import ledger_last

pytestmark = pytest.mark.django_db(transaction=True)
Export = Callable[[], Run]
FORGE = (
    "UPDATE algorithm_audit_trail SET conversion_value = conversion_value + 1 WHERE id = (SELECT id FROM"
    " algorithm_audit_trail WHERE conversion_observed ORDER BY id LIMIT 1)"
)


@pytest.fixture
def export(production: Environment, spoilt) -> Export:
    by = User.objects.create_superuser("sam")

    def export() -> Run:
        made = request("backups.export", by=by, environment=production, parameters={"policy": "audit-trail"})
        return Run.objects.select_related("policy__environment").get(operation=ended(made))

    return export


def sql(dsns: dict[str, str], statement: str) -> None:
    with psycopg.connect(dsns["admin"]) as connection:
        connection.execute(statement)


def test_an_alarm_holds_the_last_good_run_until_a_person_explains_it(export: Export, sampelit_copy, client) -> None:
    good = export()
    sql(sampelit_copy, FORGE)
    with ledger_last():
        altered = export()
    again = export()

    incident = Incident.objects.get()
    assert (altered.status, again.status) == ("proven", "proven")
    assert (incident.code, incident.total, incident.run, incident.baseline_run) == (
        "conversion_changed",
        1,
        altered,
        good,
    )
    assert set(incident.seen_in.all()) == {altered, again}
    assert list(Run.objects.held()) == [good]
    assert last_good(again) == good
    assert Notification.objects.filter(subject__startswith="ALTERED").count() == 1
    client.force_login(User.objects.get(username="sam"))
    page = client.get(f"/admin/backups/run/{altered.pk}/change/").content.decode()
    assert "</span>Altered</span>" in page
    assert "verify_audit_chain" in page

    incidents_service.resolve(incident, "sam", "a refund, booked by hand; repaired tonight")
    sql(sampelit_copy, FORGE.replace("+ 1", "- 1"))
    repaired = export()
    sql(sampelit_copy, FORGE)
    loud = export()

    assert (repaired.status, last_good(loud)) == ("proven", repaired)
    assert not repaired.shows.exists()
    assert Incident.objects.open().get().run == loud
    assert good in Run.objects.held()
    assert last_good(good) is None  # verified again, it is not compared with runs that came later


def test_an_incident_names_the_run_that_was_compared_although_a_newer_became_good(
    export: Export, sampelit_copy, monkeypatch
) -> None:
    compared = export()
    newer = export()
    Run.objects.filter(pk=newer.pk).update(status="stored")
    sql(sampelit_copy, FORGE)
    judged = outcome.judged

    def while_it_is_judged(*args: object) -> object:
        Run.objects.filter(pk=newer.pk).update(status="proven")
        return judged(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(outcome, "judged", while_it_is_judged)

    altered = export()

    incident = Incident.objects.get()
    assert last_good(altered) == newer
    assert (incident.run, incident.baseline_run) == (altered, compared)
    assert list(Run.objects.held()) == [compared]


def test_a_cut_tail_is_suspect_until_it_is_explained(export: Export, sampelit_copy) -> None:
    export()
    sql(
        sampelit_copy,
        "DELETE FROM algorithm_audit_trail WHERE sequence_number > (SELECT max(sequence_number) - 2 FROM"
        " algorithm_audit_trail t WHERE t.experiment_id = algorithm_audit_trail.experiment_id)",
    )
    with ledger_last():
        cut = export()
    for incident in Incident.objects.open():
        incidents_service.resolve(incident, "sam", "a test of the importer")

    after = export()

    assert (cut.status, after.status) == ("suspect", "proven")
    assert set(after.shows.values_list("code", flat=True)) == {"tail_cut", "assignment_unaudited"}


def test_a_broken_chain_is_suspect_until_it_is_explained_and_then_only_that(export: Export, sampelit_copy) -> None:
    sql(sampelit_copy, "UPDATE algorithm_audit_trail SET visitor_id = 'eva' WHERE sequence_number = 3")
    first = export()

    incident = Incident.objects.get()
    assert (first.status, incident.code, Run.objects.good().exists()) == ("suspect", "chain_broken", False)
    incidents_service.resolve(incident, "sam", "known since the migration of 2025")
    explained = export()
    sql(sampelit_copy, "UPDATE algorithm_audit_trail SET visitor_id = 'eva' WHERE sequence_number = 4")
    second = export()

    assert explained.status == "proven"
    assert second.status == "suspect"
    assert set(Incident.objects.open().values_list("code", flat=True)) == {"chain_broken", "row_edited"}


def test_a_last_good_run_that_cannot_be_read_is_an_alarm(export: Export, sampelit_copy) -> None:
    good = export()
    sql(sampelit_copy, FORGE)
    store = open_store(good.store_url)
    for segment in good.segments.filter(table__endswith="algorithm_audit_trail"):
        store.delete(segment.key)

    run = export()

    assert (run.status, Incident.objects.get().code) == ("proven", "not_compared")
    assert good.pk in Incident.objects.get().summary


def test_a_run_that_shrank_is_suspect_until_a_person_says_why(export: Export, sampelit_copy) -> None:
    export()
    sql(
        sampelit_copy,
        "DELETE FROM excluded_sessions; DELETE FROM users WHERE id NOT IN (SELECT user_id FROM experiments)",
    )
    sql(
        sampelit_copy, "UPDATE experiments SET description = left(description, 1), config = '{}', url = 'x', name = 'n'"
    )

    shrunk = export()

    incident = Incident.objects.get()
    assert (shrunk.status, incident.code) == ("suspect", "anomaly")
    assert "public.experiments has" in incident.summary
    incidents_service.resolve(incident, "sam", "descriptions were shortened on purpose")
    assert export().status == "proven"


def test_a_proof_slower_than_its_budget_is_suspect(export: Export) -> None:
    Policy.objects.update(rto_budget_seconds=0)

    run = export()

    assert run.status == "suspect"
    assert "the policy's budget (RTO) is 0 s" in run.reason
    assert "examined" in Proof.objects.get(run=run).document
