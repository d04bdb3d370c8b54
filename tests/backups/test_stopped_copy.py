"""A restore whose worker stands still in the middle of a COPY: no timeout reaches it, its next attempt ends it."""

from __future__ import annotations

import psycopg
import pytest

from backups.progress import Watch
from backups.restore.session import writing
from providers.errors import ProviderError

MINE, OTHER = Watch(owner="01OPERATION"), Watch(owner="01ANOTHER")


def test_only_the_next_attempt_of_the_same_operation_ends_it(empty_database: str, settings) -> None:
    settings.OPS_LEASE_SECONDS = 0.7
    with pytest.raises(psycopg.OperationalError), writing(empty_database, MINE) as stopped:
        stopped.execute("CREATE TABLE public.t (a int)")
        with stopped.transaction(), stopped.cursor().copy("COPY public.t FROM STDIN") as copying:
            copying.write("1\n")
            with pytest.raises(ProviderError, match="still holds"), writing(empty_database, OTHER):
                pass
            with writing(empty_database, MINE) as next_attempt:
                row = next_attempt.execute("SELECT count(*) FROM public.t").fetchone()

    assert row == (0,)
