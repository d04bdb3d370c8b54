"""Two people with an authenticator, and an act that one of them may do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from operations.factors import devices
from operations.models import Environment, Operation
from tests.people import holder


@pytest.fixture
def ada(db: None) -> User:
    return _enrolled(holder("ada", "view_operation", "approve_operation", "break_glass"))


@pytest.fixture
def ben(db: None) -> User:
    return _enrolled(holder("ben", "view_operation", "approve_operation"))


@pytest.fixture
def waiting(production: Environment, ask: Callable[..., Operation]) -> Operation:
    """A destructive request of somebody else."""
    return ask("rehearsal.destructive")


def _enrolled(user: User) -> User:
    devices.enrol(user, "authenticator")
    return user
