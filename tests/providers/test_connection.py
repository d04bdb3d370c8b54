"""What a wrong DSN says: never its own text, which may be a secret."""

from __future__ import annotations

import pytest

from providers import postgres
from providers.errors import ProviderError


@pytest.mark.parametrize(
    "dsn", ["hunter2", "host=x hunter2", "postgresql://ops:hunter2/x@db/ops", "postgresql://ops:x@hunter2@db/ops"]
)
def test_what_is_no_dsn_is_not_repeated(dsn: str) -> None:
    with pytest.raises(ProviderError, match=r"Nothing was read or changed.*postgresql://") as caught:
        postgres.connect(dsn)

    assert "hunter2" not in caught.value.message
    assert not caught.value.retryable
