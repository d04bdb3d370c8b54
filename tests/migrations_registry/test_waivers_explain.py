"""Waivers explain, and policies judge what is not grave: neither makes what two people must vote on ask for less."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from migrations_registry.analysis import analyse
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import CONVENTION, SEVERITIES
from migrations_registry.analysis.plan import Plan, plan
from migrations_registry.analysis.risk import GRAVE, Policy
from migrations_registry.analysis.rule_registry import CATALOGUE
from migrations_registry.models import MigrationFile, RulePolicy, Waiver
from migrations_registry.services.planning import judged, review
from operations.engine.run import run_operation
from operations.engine.specs import POOLS
from operations.models import Environment, Operation, Status
from providers.errors import Refused
from tests.people import holder
from tests.registering import registered
from tests.stepping import request

pytestmark = pytest.mark.django_db
GRAVE_RULES = sorted(rule.id for rule in CATALOGUE.values() if rule.severity in GRAVE and rule.bad)
RULES = "migrations.change_rules"


def needed(made: Plan) -> tuple[object, ...]:
    return made.risk, made.losses, made.restore_point, made.maintenance


def waive_everything(file: MigrationFile) -> None:
    found = {
        (finding.rule, statement.line) for statement in analyse(file.data).statements for finding in statement.findings
    }
    agreed = {"reason": "read", "requested_by": "olga", "approved_by": "ada", "approved_at": timezone.now()}
    Waiver.objects.bulk_create(Waiver(file=file, rule=rule, line=line, **agreed) for rule, line in sorted(found))


@pytest.mark.parametrize("rule", GRAVE_RULES)
def test_a_waived_finding_asks_for_what_it_asked(rule: str, proof_facts: CatalogFacts) -> None:
    file = registered("\n".join(f"{sql};" for sql in CATALOGUE[rule].bad).encode())
    before = needed(plan(judged(file, proof_facts, Policy()), proof_facts))

    waive_everything(file)

    again = MigrationFile.objects.get(pk=file.pk)
    assert needed(plan(judged(again, proof_facts, Policy()), proof_facts)) == before
    assert before[0] == "destructive"


@pytest.mark.parametrize("wanted", SEVERITIES)
def test_a_policy_in_force_makes_nothing_grave_less(wanted: str, proof_facts: CatalogFacts) -> None:
    """Also not one that an earlier version accepted, or that SQL put there."""
    policy = Policy(severities=dict.fromkeys(CATALOGUE, wanted))
    for rule in GRAVE_RULES:
        analysis = analyse(CATALOGUE[rule].bad[0].encode(), facts=proof_facts)
        if analysis.risk != "destructive":  # a sample of another version
            continue
        lowered = plan(analysis, proof_facts, policy)
        mine = [finding.severity for finding in analysis.findings if finding.rule == rule]
        assert lowered.restore_point or "security" in mine, rule
        assert lowered.losses or "destructive" not in mine, rule


def test_a_waiver_of_what_one_person_may_decide_still_counts(bare_production: Environment) -> None:
    file = registered(b"ALTER TABLE users ALTER COLUMN email SET NOT NULL;")
    assert review(file, bare_production).plan.risk == "sensitive"

    waive_everything(file)

    again = review(MigrationFile.objects.get(pk=file.pk), bare_production)
    assert again.plan.risk == "routine"
    assert {finding.severity for finding in again.analysis.findings} == {CONVENTION}


@pytest.mark.parametrize("rule", [rule for rule in GRAVE_RULES if CATALOGUE[rule].severity != "security"][::4])
@pytest.mark.parametrize("wanted", ["convention", "execution", "rewrite", "security"])
def test_lowering_a_grave_rule_is_refused(admin: User, bare_production: Environment, rule: str, wanted: str) -> None:
    with pytest.raises(Refused, match="no policy makes it less"):
        change(admin, bare_production, severities=f'{{"{rule}": "{wanted}"}}')


@pytest.fixture
def admin(db: None) -> User:
    return holder("amir", "change_rules")


def change(by: User, where: Environment, **given: str) -> Operation:
    return request(RULES, by=by, environment=where, parameters=given)


@pytest.fixture
def staging(bare_production: Environment) -> Environment:
    return Environment.objects.create(slug="staging", name="Staging")


@pytest.mark.parametrize(
    ("given", "risk"),
    [
        ({"rows": "5000"}, "sensitive"),
        ({"rows": "1000000000"}, "destructive"),
        ({"bytes": "1000000000000"}, "destructive"),
        ({"severities": '{"ML-INDEX": "convention"}'}, "destructive"),
        ({"severities": '{"ML-INDEX": "destructive"}'}, "sensitive"),
        ({"gate": "strict"}, "sensitive"),
        ({"maintenance_seconds": "60"}, "sensitive"),
    ],
)
def test_rules_need_the_strictest_votes_wherever_they_are_asked_for(
    admin: User, staging: Environment, given: dict[str, str], risk: str
) -> None:
    """The environment of the form does not matter: what is put in force judges production."""
    needs = {"sensitive": 1, "destructive": 2}[risk]

    for where in Environment.objects.all():
        operation = change(admin, where, **given)
        assert (operation.status, operation.risk) == (Status.AWAITING_APPROVAL, risk)
        assert operation.approvals_required == needs


def test_taking_back_what_was_raised_lowers_too(admin: User, staging: Environment) -> None:
    RulePolicy.objects.create(version=1, created_by="amir", severities={"ML-INDEX": "destructive"})

    operation = change(admin, staging, severities='{"ML-INDEX": "data"}')

    assert (operation.risk, operation.approvals_required) == ("destructive", 2)


def test_what_was_lowered_before_is_left_out_of_the_next_policy(admin: User, staging: Environment) -> None:
    RulePolicy.objects.create(version=1, created_by="amir", severities={"MD-DROP-COLUMN": "convention"})

    operation = change(admin, staging, gate="strict")

    assert operation.parameters["severities"] == {}


def test_an_environment_that_becomes_stricter_counts_at_the_claim(admin: User) -> None:
    staging = Environment.objects.create(slug="staging", name="Staging")
    operation = change(admin, staging, gate="strict")
    assert operation.status == Status.QUEUED

    Environment.objects.create(slug="production", name="Production", kind="production", protected=True)
    run_operation(operation.pk, "test", frozenset(POOLS), end_process=lambda: None)

    assert not RulePolicy.objects.exists()
