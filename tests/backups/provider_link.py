"""A production that is linked to the Supabase stand-in and not read yet; no database of its own behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import stamina

from operations.models import Environment
from tests.sandbox.conftest import REF, Platform


@pytest.fixture
def production(db: None) -> Environment:
    return Environment.objects.create(slug="production", kind="production", protected=True, supabase_ref=REF)


@pytest.fixture(autouse=True)
def token(settings: Any, platform: Platform) -> Iterator[None]:
    settings.SUPABASE_ACCESS_TOKEN, settings.SUPABASE_API_BASE = platform.api.world.token, platform.api.base
    with stamina.set_testing(True, attempts=1):
        yield
