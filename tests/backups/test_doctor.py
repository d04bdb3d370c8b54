"""What doctor says of backups: keys, place, room, slots."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pyrage import x25519

from backups import disk_space
from backups.archive.signatures import generate
from backups.doctor import backups as doctor_backups
from backups.models import Policy, Slot
from backups.policies.defaults import ensure_policies
from backups.stores import configured
from ledger.models import Entry
from operations.models import Environment
from providers import machine

pytestmark = pytest.mark.django_db


def tones(source) -> dict[str, str]:
    return {check.name: check.tone for check in source(None)}


def test_keys_are_amber_until_there_are_two_recipients_and_a_signature(settings) -> None:
    settings.BACKUP_AGE_RECIPIENTS, settings.BACKUP_SIGNING_KEY, settings.BACKUP_PUBLIC_KEYS = [], "", []
    before = tones(doctor_backups.backup_keys)
    settings.BACKUP_AGE_RECIPIENTS = [str(x25519.Identity.generate().to_public()) for _ in range(2)]
    settings.BACKUP_SIGNING_KEY = generate()[0]

    assert before == {"backup recipients": "warn", "backup signatures": "warn"}
    assert tones(doctor_backups.backup_keys) == {"backup recipients": "ok", "backup signatures": "ok"}


def test_one_recipient_is_red_outside_the_demo(settings) -> None:
    settings.BACKUP_AGE_RECIPIENTS, settings.DEMO = [str(x25519.Identity.generate().to_public())], False

    assert tones(doctor_backups.backup_keys)["backup recipients"] == "bad"


def test_stores_are_amber_until_probed_and_then_say_what_they_can(settings, tmp_path) -> None:
    settings.BACKUP_STORE = f"file://{tmp_path}/store"
    before = tones(doctor_backups.backup_stores)
    report = configured.report(settings.BACKUP_STORE)

    assert list(before.values()) == ["warn"]
    assert tones(doctor_backups.backup_stores) == {"first store of every policy": "ok"}
    assert report.usable
    assert Entry.objects.filter(code="backups.store.probed").count() == 1


def test_the_preflight_is_told_without_an_export(sampelit, monkeypatch) -> None:
    environment = Environment.objects.create(slug="production", name="P", kind="production", protected=True)
    ensure_policies(environment)
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", sampelit["export"])
    well = tones(doctor_backups.backup_source)
    Policy.objects.filter(name="audit-trail").update(tables=["nowhere"])

    ill = {check.name: check for check in doctor_backups.backup_source(None)}

    assert set(well.values()) == {"ok"}
    assert "has no table nowhere" in ill["export of production: audit-trail"].found


def test_a_local_store_on_an_ephemeral_disk_is_amber(settings, monkeypatch) -> None:
    settings.BACKUP_STORE = "file:///data"
    here = tones(doctor_backups.backup_place)
    monkeypatch.setenv("RENDER", "true")
    there = tones(doctor_backups.backup_place)
    settings.BACKUP_STORE = "s3://bucket/prefix"

    assert (here, there) == ({"backup place": "idle"}, {"backup place": "warn"})
    assert tones(doctor_backups.backup_place) == {"backup place": "ok"}


def test_a_disk_too_small_for_a_drill_is_red(monkeypatch) -> None:
    fine = tones(doctor_backups.backup_room)
    monkeypatch.setattr(disk_space, "DISK_FLOOR", 10**18)

    assert fine["room for a restore drill"] in ("ok", "warn")
    assert tones(doctor_backups.backup_room) == {"room for a restore drill": "bad"}


def test_a_container_without_memory_for_a_drill_is_red_with_the_size(monkeypatch, tmp_path) -> None:
    for name, text in (
        ("memory.max", "512000000"),
        ("memory.current", "400000000"),
        ("memory.stat", "inactive_file 7"),
    ):
        (tmp_path / name).write_text(text)
    unlimited = machine.free_memory()
    monkeypatch.setattr(machine, "CGROUP", tmp_path)

    [check] = doctor_backups.backup_room(None)

    assert unlimited is None or unlimited > 112_000_007
    assert (check.tone, machine.free_memory()) == ("bad", 112_000_007)
    assert "needs 300 MB of memory, 112 MB are free. Give the proving worker a larger plan" in check.fix


def test_red_slots_are_counted_until_acknowledged() -> None:
    environment = Environment.objects.create(slug="production", name="P", kind="production")
    ensure_policies(environment)
    Slot.objects.create(policy=Policy.objects.first(), at=timezone.now(), status="missed")
    red = tones(doctor_backups.backup_slots)
    Slot.objects.update(acknowledged_by="olga")

    assert (red, tones(doctor_backups.backup_slots)) == ({"backup slots": "bad"}, {"backup slots": "ok"})
