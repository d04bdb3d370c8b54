"""People and an environment for the engine's tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User

from operations.models import Environment


def holder(username: str, *codenames: str) -> User:
    user = User.objects.create_user(username, password="long enough password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return User.objects.get(pk=user.pk)


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
def production() -> Environment:
    return Environment.objects.create(slug="production", name="Production", kind="production", protected=True)


@pytest.fixture
def ask(operator: User, production: Environment) -> Callable:
    from operations.engine.request import request

    def ask(kind: str = "rehearsal.routine", **parameters: object):
        return request(
            kind, by=operator, environment=production, parameters={"key": "k", **parameters}, reason="a test"
        )

    return ask
