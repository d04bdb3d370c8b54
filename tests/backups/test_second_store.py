"""Two destinations: what the second one missed is copied when it returns, checked, and told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from backups.archive.manifest import manifest_key
from backups.archive.reader import runs
from backups.models import Policy, Run
from backups.policies import overdue
from backups.stores.replication import catch_up, mirror
from backups.web.run_page import stored_badge
from operations.models import Heartbeat, Notification
from providers.errors import ProviderError
from providers.storage.base import Store
from providers.storage.factory import open_store
from tests.backups.conftest import ended, exported
from tests.backups.test_proof import flip, path_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_is_copied_whole_and_only_once(sampelit, store: Store, tmp_path: Path) -> None:
    manifest = exported(sampelit["export"], store)
    other = open_store(f"file://{tmp_path}/other")

    copied, again = mirror(manifest, store, other), mirror(manifest, store, other)

    assert copied == len(manifest.segments) + 1
    assert again == 0
    assert [item.run for item in runs(other, None)] == [manifest.run]


def test_a_damaged_object_is_not_spread(sampelit, store: Store, tmp_path: Path) -> None:
    manifest = exported(sampelit["export"], store)
    flip(path_of(store, manifest.segments[0].key))

    with pytest.raises(ProviderError, match=r"was not copied.*was altered"):
        mirror(manifest, store, open_store(f"file://{tmp_path}/other"))


def test_two_whole_copies_of_one_run_are_both_kept(sampelit, store: Store, tmp_path: Path) -> None:
    manifest = exported(sampelit["export"], store)
    other = open_store(f"file://{tmp_path}/other")
    other.put_once(manifest_key(manifest.run), b"another manifest")

    with pytest.raises(ProviderError, match=r"holds another manifest.*Both copies are kept"):
        mirror(manifest, store, other)
    assert other.get(manifest_key(manifest.run)) == b"another manifest"


def test_a_store_refused_for_five_days_is_told_daily_and_caught_up_alone(ask, settings, tmp_path, monkeypatch) -> None:
    """The first store is away: runs are kept and proven in the second, the gap shows, nobody has to do anything."""
    Policy.objects.filter(name="audit-trail").update(second_store_env="SECOND_STORE")
    monkeypatch.setenv("SECOND_STORE", f"file://{tmp_path}/second")
    settings.NOTIFY_EMAILS, settings.EMAIL_HOST, settings.OPS_SECOND_CHANNEL = ["a@x.eu"], "mail", ["boss@x.eu"]
    (tmp_path / "first").write_text("in the way")
    settings.BACKUP_STORE = f"file://{tmp_path}/first"
    kept = []
    for day in range(5):
        Heartbeat.objects.filter(name__startswith="alarm:").update(beat_at=timezone.now() - timedelta(days=day))
        kept.append(Run.objects.select_related("policy").get(pk=ended(ask()).result["run"]))
        assert catch_up() == 0
    badges = [stored_badge(run) for run in kept]
    (tmp_path / "first").unlink()

    assert catch_up() == 5
    assert [run.status for run in kept] == ["proven"] * 5
    assert all("1 of 2" in badge for badge in badges)
    assert all("its own store was away" in run.warnings[0].lower() for run in kept)
    first = open_store(f"file://{tmp_path}/first")
    assert [item.status for item in runs(first, None)] == ["proven"] * 5
    told = Notification.objects.filter(subject__contains="first store of")
    assert told.filter(subject__startswith="Still, after", recipients="boss@x.eu").count() == 4
    assert told.filter(subject__startswith="Resolved").count() == 1


def test_restore_points_of_one_migration_have_alarms_of_their_own(ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is complete again ended the alarm of the other."""
    audit = Policy.objects.get(name="audit-trail")
    names = [f"before-01k0000000000000000000000{n}" for n in (1, 2)]
    first, second = (
        Policy.objects.create(environment=audit.environment, name=name, tables=["*"], description="Before 02_drop.sql")
        for name in names
    )

    told: list[str] = []
    monkeypatch.setattr(overdue, "alarm", lambda name, *_, **__: told.append(name))

    overdue.keep()

    assert str(first) == str(second)
    assert sorted(told) == sorted({f"proof of {policy.key}" for policy in Policy.objects.filter(enabled=True)})


def test_a_second_store_that_was_away_is_caught_up_and_told(ask, tmp_path: Path, monkeypatch) -> None:
    Policy.objects.filter(name="audit-trail").update(second_store_env="SECOND_STORE")
    run = Run.objects.select_related("policy").get(pk=ended(ask()).result["run"])
    (tmp_path / "blocked").write_text("in the way")
    monkeypatch.setenv("SECOND_STORE", f"file://{tmp_path}/blocked")
    away = catch_up()
    badge_while_away = stored_badge(run)
    monkeypatch.setenv("SECOND_STORE", f"file://{tmp_path}/second")
    back = catch_up()
    run.refresh_from_db()

    assert (away, back) == (0, 1)
    assert "1 of 2" in badge_while_away
    assert "1 of 2" not in stored_badge(run)
    assert [item.status for item in runs(open_store(f"file://{tmp_path}/second"), None)] == ["proven"]
    assert [row.subject for row in Notification.objects.filter(subject__contains="second store").order_by("pk")] == [
        f"The second store of production/audit-trail misses {run}",
        "Resolved: The second store of production/audit-trail is complete",
    ]
