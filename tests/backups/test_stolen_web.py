"""Whoever takes the web service over, with all variables that the blueprint gives it, opens and signs no backup."""

from __future__ import annotations

import os
from pathlib import Path

import pyrage
import pytest
import yaml
from django.conf import settings as django_settings

from backups.archive import keys
from backups.archive.reader import load
from backups.archive.segment_codec import Damaged, decrypt
from backups.archive.signatures import generate
from backups.models import Run
from providers.storage.factory import open_store
from tests.running import run_once

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
WORKERS_ONLY = ("BACKUP_AGE_IDENTITY", "BACKUP_SIGNING_KEY", "OPS_SEAL_IDENTITY", "BACKUP_REAPER_AWS_SECRET_ACCESS_KEY")


def variables_of(service: str) -> set[str]:
    blueprint = yaml.safe_load((ROOT / "render.yaml").read_text())
    groups = {group["name"]: {variable["key"] for variable in group["envVars"]} for group in blueprint["envVarGroups"]}
    own = next(each["envVars"] for each in blueprint["services"] if each["name"] == service)
    return {variable.get("key") for variable in own}.union(*groups.values()) - {None}


@pytest.fixture
def encrypted_run(ask, settings) -> Run:
    identity, signing = pyrage.x25519.Identity.generate(), generate()[0]
    settings.BACKUP_AGE_RECIPIENTS, settings.BACKUP_AGE_IDENTITY = [str(identity.to_public())], str(identity)
    settings.BACKUP_SIGNING_KEY = signing
    operation = run_once(ask(), frozenset({"export", "prove"}))
    return Run.objects.get(pk=operation.result["run"], status="proven")


def test_no_value_of_the_web_opens_or_signs_a_backup(encrypted_run: Run, settings) -> None:
    held = variables_of("sampelit-ops-web")
    assert not held & set(WORKERS_ONLY)
    for name in WORKERS_ONLY:
        setattr(settings, name, "")
    store = open_store(encrypted_run.store_url)
    values = [value for name in held if (value := str(getattr(django_settings, name, "") or os.environ.get(name, "")))]
    assert len(values) > 5
    segments = [segment for table in load(store, encrypted_run.pk, None).tables for segment in table.segments]

    assert segments
    assert all(segment.encrypted for segment in segments)
    for segment in segments:
        data = store.get(segment.key)
        with pytest.raises(Damaged, match="no identity is configured"):
            decrypt(data, segment, keys.identities())
        for value in values:
            with pytest.raises((pyrage.IdentityError, pyrage.DecryptError, Damaged)):
                decrypt(data, segment, [value])
            with pytest.raises(pyrage.DecryptError):
                pyrage.passphrase.decrypt(data, value)
    assert keys.signer() is None
