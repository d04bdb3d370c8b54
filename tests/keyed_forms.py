"""A test's client sends forms as a browser does: with a one-time key, a new one for each, unless the test gives one.

A `Keyless` client sends exactly what it is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from operations.web.form_key import NAME


class Keyless(Client):
    """Sends no key."""


@pytest.fixture(scope="session", autouse=True)
def keyed_forms() -> Iterator[None]:
    post = Client.post

    def post_with_key(self: Client, path: str, data: Any = None, *args: Any, **kwargs: Any) -> Any:
        form = data is None or (isinstance(data, Mapping) and NAME not in data)
        if form and not (isinstance(self, Keyless) or args or "content_type" in kwargs):
            data = {**(data or {}), NAME: f"{uuid4().hex}-0"}
        return post(self, path, data, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "post", post_with_key)
        yield
