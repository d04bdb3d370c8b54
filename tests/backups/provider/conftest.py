"""A production behind the Supabase stand-in: read once and quick, or linked and not read yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import stamina

from operations.models import Environment
from tests.supabase_platform import REF, Platform
from tests.supabase_production import act, door, operator, production  # noqa: F401 (fixtures)


@pytest.fixture
def token(settings: Any, platform: Platform) -> Iterator[None]:
    settings.SUPABASE_ACCESS_TOKEN, settings.SUPABASE_API_BASE = platform.api.world.token, platform.api.base
    with stamina.set_testing(True, attempts=1):
        yield


@pytest.fixture
def unread_production(db: None, token: None) -> Environment:
    """Linked and not read yet; no database of its own behind it."""
    return Environment.objects.create(slug="production", kind="production", protected=True, supabase_ref=REF)
