"""Evidence by workers: facts beside every proven run, a report by operation, one decision through encrypted runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from pyrage import x25519

from backups.archive.signatures import generate
from backups.evidence.decision_history import difference, with_differences
from backups.facts import store as facts_store
from backups.models import EvidenceReport, Proof, Run
from backups.stores.trusted_manifest import store_of, trusted_manifest
from ledger.models import Entry
from operations.engine import kinds
from operations.engine.request import request
from operations.models import Environment, Operation
from providers.errors import Refused
from providers.storage.factory import open_store
from tests.backups.conftest import ended

AUDIT = "algorithm_audit_trail"
POOLS = frozenset({"export", "prove"})


@pytest.fixture
def keys(settings: Any) -> None:
    """Runs are encrypted to two people and everything is signed."""
    identities = [x25519.Identity.generate() for _ in range(2)]
    settings.BACKUP_AGE_RECIPIENTS = [str(identity.to_public()) for identity in identities]
    settings.BACKUP_AGE_IDENTITY, settings.BACKUP_SIGNING_KEY = str(identities[0]), generate()[0]
    settings.DEMO = True


@pytest.fixture
def act(
    transactional_db: None, production: Environment, spoilt: dict[str, str], keys: None
) -> Callable[..., Operation]:
    """Request as an auditor who may also export, and run it here to its end."""
    user = User.objects.create_user("olga", password="long enough password", is_staff=True)
    codes = ["request_export", "produce_evidencereport", "view_evidencereport", "view_run"]
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))

    def act(kind: str = "export", **parameters: str) -> Operation:
        by = User.objects.get(pk=user.pk)
        given = parameters or {"policy": "audit-trail"}
        made = request(f"backups.{kind}", by=by, environment=production, parameters=given, reason="test")
        return ended(made)

    return act


def change(dsns: dict[str, str], statement: str) -> tuple[str, int]:
    with psycopg.connect(dsns["admin"], autocommit=True) as connection:
        row = connection.execute(f"{statement} RETURNING experiment_id::text, sequence_number").fetchone()
    assert row
    return row[0], row[1]


def test_a_decision_is_followed_through_encrypted_runs_and_a_report_is_signed_by_a_worker(
    act: Callable[..., Operation],
    sampelit_copy: dict[str, str],
    client: Client,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    act()
    experiment, number = change(
        sampelit_copy,
        f"UPDATE {AUDIT} SET conversion_observed = true, conversion_value = 9.5 WHERE id = (SELECT id FROM {AUDIT} "
        "WHERE NOT conversion_observed LIMIT 1)",
    )
    act()
    change(
        sampelit_copy,
        f"UPDATE {AUDIT} SET conversion_value = 900 WHERE experiment_id = '{experiment}' "
        f"AND sequence_number = {number}",
    )
    act()

    done = act("trace_decision", experiment=experiment, sequence=str(number))
    report = act("evidence", **{"from": "2026-01-01", "to": "2027-01-01"})

    history = with_differences(done.result["history"])
    assert [sighting["what"][0] for sighting in history] == ["first seen", "conversion set", "conversion changed"], (
        done.error
    )
    assert [sighting["decision"]["conversion_value"] for sighting in history] == ["", "9.50", "900.00"]
    assert {sighting["decision"]["recomputed"] for sighting in history} == {True}
    assert len({sighting["decision"]["unchanging_sha256"] for sighting in history}) == 1
    assert "visitor" not in str(done.result)
    assert Entry.objects.get(code="backups.decision.traced").payload["runs"] == 3
    row = EvidenceReport.objects.get(pk=report.result["report"])
    assert row.verdict == "altered"
    assert experiment in row.summary
    assert "Conversions changed after they were set" in row.document, "the incident is part of the report"
    for run in Run.objects.all():
        facts = facts_store.evidence_key(run.pk)
        assert open_store(run.store_url).head(facts), "facts lie beside every run that was restored"
        assert Proof.objects.get(run=run).evidence["key"] == facts
    _pages_and_shell(client, capsys, monkeypatch, done)


def _pages_and_shell(
    client: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, done: Operation
) -> None:
    client.force_login(User.objects.get())
    shown = client.get("/admin/backups/evidencereport/decision/").content.decode().lower()
    assert "conversion changed" in shown
    listed = client.get("/admin/backups/evidencereport/").content.decode()
    assert "Review and produce" in listed
    assert "Altered" in listed
    monkeypatch.setattr("backups.management.commands.decision_history._ask", lambda options: done)
    with pytest.raises(SystemExit):
        call_command("decision_history", done.parameters["experiment"], done.parameters["sequence"])
    assert "conversion changed\n3 runs looked at." in capsys.readouterr().out
    monkeypatch.undo()


def test_a_damaged_run_is_told_and_the_others_are_still_read(act: Callable[..., Operation]) -> None:
    first = act()
    second = act()
    run = Run.objects.get(pk=first.result["run"])
    for segment in run.segments.filter(table=f"public.{AUDIT}"):
        open_store(run.store_url).delete(segment.key)
    Run.objects.filter(pk=second.result["run"]).update(manifest_sha256="0" * 64)
    facts = facts_store.read(open_store(run.store_url), trusted_manifest(run, store_of(run)), None)
    chain = facts.tables[0].months[0].chain  # type: ignore[union-attr]

    done = act("trace_decision", experiment=chain, sequence="1")

    problems = [sighting["problem"] for sighting in done.result["history"]]
    assert done.status == "succeeded"
    assert "missing from the store" in problems[0]
    assert "was replaced" in problems[1]


WRONG = [
    ("trace_decision", {"experiment": "x", "sequence": "1"}, "no experiment's id"),
    ("trace_decision", {"experiment": "1" * 8 + "-1111-1111-1111-" + "1" * 12, "sequence": "0"}, "they begin at 1"),
    ("trace_decision", {"experiment": "1" * 8 + "-1111-1111-1111-" + "1" * 12, "sequence": "-4"}, "no number"),
    ("evidence", {"from": "2026-03-01", "to": "2026-02-01"}, "ends before it begins"),
    ("evidence", {"from": "2999-03-01", "to": "2999-04-01"}, "in the future"),
    ("evidence", {"from": "1 March", "to": "2999-04-01"}, "is a day"),
]


@pytest.mark.parametrize(("kind", "given", "said"), WRONG, ids=[item[2] for item in WRONG])
def test_wrong_requests_are_refused_by_name(db: None, kind: str, given: dict[str, str], said: str) -> None:
    environment = Environment(slug="production")

    with pytest.raises(Refused, match=said):
        kinds.get(f"backups.{kind}").clean(environment, given)


def test_the_shell_says_when_no_worker_answers(db: None, settings: Any) -> None:
    settings.DEMO = True
    user = User.objects.create_user("operator", password="long enough password", is_staff=True)
    chain = "1" * 8 + "-1111-1111-1111-" + "1" * 12
    with pytest.raises(CommandError, match="no environment"):
        call_command("decision_history", chain, "1")
    Environment.objects.create(slug="production", name="P", kind="production")
    with pytest.raises(CommandError, match="may not request"):
        call_command("decision_history", chain, "1")
    user.user_permissions.set(Permission.objects.filter(codename="produce_evidencereport"))

    with pytest.raises(CommandError, match="no worker of pool prove"):
        call_command("decision_history", chain, "1", timeout=0)


def test_a_sighting_is_compared_with_the_one_before() -> None:
    row = {
        "recomputed": True,
        "unchanging_sha256": "a",
        "converted": False,
        "conversion_at": "",
        "conversion_value": "",
    }
    there = {"problem": "", "decision": row}
    gone, unread = {"problem": "", "decision": None}, {"problem": "unreadable", "decision": None}

    assert difference(None, gone) == ("not there yet", "idle")
    assert difference(there, gone) == ("removed", "bad")
    assert difference(there, there) == ("unchanged", "ok")
    assert difference(there, {**there, "decision": {**row, "unchanging_sha256": "b"}}) == ("edited", "bad")
    assert difference(there, {**there, "decision": {**row, "recomputed": False}})[1] == "bad"
    assert difference(there, unread) == ("unreadable", "idle")
