"""After a restore at Supabase the next export is compared with what the restore left, so no alarm is false."""

# ruff: noqa: F401, F811 - fixtures are imported by name
from __future__ import annotations

from backups.models import Run
from backups.provider.baseline import continued
from operations.models import Environment
from tests.backups.provider_room import act, decide, door, export, next_second, operator, production
from tests.sandbox.conftest import Platform, platform, platform_server


def test_the_next_export_is_proven_although_rows_went_back(act, production: Environment, platform: Platform) -> None:
    export(act)
    at = next_second()
    decide(platform, 3)
    undone = export(act)
    operation = act("backups.provider_pitr", at=f"{at:%Y-%m-%dT%H:%M:%SZ}")

    run = export(act)

    assert operation.error == ""
    assert (run.status, run.reason) == ("proven", "")
    assert undone not in continued(Run.objects.all(), production)
    assert run in continued(Run.objects.all(), production)
