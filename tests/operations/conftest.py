"""People and an environment for the engine's tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from operations.models import Environment
from tests.people import holder


@pytest.fixture
def operator() -> User:
    return holder("olga", "view_operation", "run_rehearsal", "break_glass", "close_task")


@pytest.fixture
def approver() -> User:
    return holder("ada", "view_operation", "approve_operation", "close_task")


@pytest.fixture
def approver2() -> User:
    return holder("ben", "approve_operation")


@pytest.fixture
def ask(operator: User, production: Environment) -> Callable:
    from operations.engine.request import request

    def ask(kind: str = "rehearsal.routine", **parameters: object):
        return request(
            kind, by=operator, environment=production, parameters={"key": "k", **parameters}, reason="a test"
        )

    return ask
