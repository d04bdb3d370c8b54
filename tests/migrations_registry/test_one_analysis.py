"""A file is analysed once a request and once at the claim; what a step needs of another is the other's result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from migrations_registry.apply import attempt, restore_point
from migrations_registry.apply.attempt import Requirements
from migrations_registry.models import MigrationFile
from migrations_registry.services import planning
from operations.engine.request import request
from operations.models import Environment, Operation
from tests.migrations_registry.applying import add_supabase, finish

pytestmark = pytest.mark.django_db(transaction=True)
KIND = "migrations.apply"
DESTROYS = "CREATE TABLE fresh (id integer); DELETE FROM users WHERE email LIKE 'nobody%'"


@pytest.fixture
def file(baselined: Environment) -> MigrationFile:
    return add_supabase(2, DESTROYS)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], int]:
    """How many analyses something makes in a process that has made none."""
    calls: list[int] = []
    analyse = planning.analyse

    def count(data: bytes, **given: Any) -> Any:
        calls.append(len(data))
        return analyse(data, **given)

    def made_by(act: Callable[[], Any]) -> int:
        calls.clear()
        monkeypatch.setattr(planning, "_newest", None)
        act()
        return len(calls)

    monkeypatch.setattr(planning, "analyse", count)
    return made_by


def ask_to_apply(file: MigrationFile, ana: User, environment: Environment) -> Operation:
    return request(KIND, by=ana, environment=environment, parameters={"file": file.sha256}, reason="test")


def test_a_request_analyses_once(file: MigrationFile, ana: User, baselined: Environment, counted: Any) -> None:
    assert counted(lambda: ask_to_apply(file, ana, baselined)) == 1


def test_a_confirmation_page_analyses_once(
    file: MigrationFile, ana: User, baselined: Environment, counted: Any, client: Client
) -> None:
    client.force_login(ana)
    url = f"{reverse('admin:operations_request', args=[KIND])}?environment={baselined.slug}&file={file.sha256}"
    pages = []

    assert counted(lambda: pages.append(client.get(url))) == 1
    assert "Will be lost" in pages[0].content.decode()


def test_a_claim_and_its_steps_analyse_once(
    file: MigrationFile, ana: User, baselined: Environment, counted: Any, backups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = ask_to_apply(file, ana, baselined)
    unwaived: list[int] = []
    analyse = attempt.analyse
    monkeypatch.setattr(attempt, "analyse", lambda data, **given: (unwaived.append(1), analyse(data, **given))[1])

    assert counted(lambda: finish(operation)) == 1
    assert (operation.status, len(unwaived)) == ("succeeded", 1), operation.error


def test_other_facts_are_judged_anew(file: MigrationFile, baselined: Environment, counted: Any) -> None:
    def review_twice() -> None:
        planning.review(file, baselined)
        planning.review(file, baselined, live=False)

    assert counted(review_twice) == 2


def test_a_step_has_the_result_of_preflight(
    file: MigrationFile, ana: User, baselined: Environment, backups: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Requirements] = []
    real = attempt.required
    monkeypatch.setattr(restore_point, "required", lambda ctx: (seen.append(real(ctx)), real(ctx))[1])

    operation = finish(ask_to_apply(file, ana, baselined))

    assert operation.status == "succeeded", operation.error
    assert {needs.restore_point.partition(":")[0] for needs in seen} == {"line 1"}
