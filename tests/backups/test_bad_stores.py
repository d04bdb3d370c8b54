"""A store that cannot be used ends the export with its cause in a sentence; the secret is in no row. On seaweedfs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from botocore import auth
from django.core import serializers

from backups.models import Run
from ledger.models import Entry
from operations.models import Notification, Operation, Step
from tests.backups.conftest import ended

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.s3]
SECRET = "verysecretwrongkey1"


def elsewhere(url: str, monkeypatch) -> str:
    return url.replace("s3://backups/", "s3://nowhere/")


def unknown_key(url: str, monkeypatch) -> str:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", SECRET)
    return url


def wrong_secret(url: str, monkeypatch) -> str:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return url


def wrong_clock(url: str, monkeypatch) -> str:
    now = auth.get_current_datetime
    monkeypatch.setattr(auth, "get_current_datetime", lambda *args, **more: now(*args, **more) - timedelta(hours=2))
    return url


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (elsewhere, r"the bucket is not there: check the store URL|The bucket does not exist"),
        (unknown_key, "access key is unknown there: correct AWS_ACCESS_KEY_ID"),
        (wrong_secret, "secret key is wrong: correct AWS_SECRET_ACCESS_KEY"),
        (wrong_clock, "clock is wrong: correct it"),
    ],
)
def test_the_cause_is_named_and_the_secret_is_nowhere(
    ask, settings, s3_url: str, monkeypatch, spoil: Callable, said: str
) -> None:
    settings.OPS_MAX_ATTEMPTS = 1
    settings.BACKUP_STORE = spoil(s3_url, monkeypatch)

    operation = ended(ask())

    assert operation.status == "failed"
    assert re.search(said, operation.error)
    assert "Nothing was overwritten" in operation.error
    assert not Run.objects.exclude(status="failed").exists()
    rows = [*Operation.objects.all(), *Step.objects.all(), *Run.objects.all(), *Notification.objects.all()]
    assert SECRET not in serializers.serialize("json", [*rows, *Entry.objects.all()])
