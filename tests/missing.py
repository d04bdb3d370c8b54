"""What an answer lacked, as if it had lacked it for a minute."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db.models import F

from operations.models import Heartbeat


def for_a_minute(*models: Any) -> None:
    for model in models:
        model.objects.exclude(missing_since=None).update(missing_since=F("missing_since") - timedelta(minutes=1))


def all_for_a_minute() -> None:
    """Of every model, and of what was seen at a look outside."""
    for_a_minute(*of_rows())
    for beat in Heartbeat.objects.all():
        missing = {part: {key: _earlier(at) for key, at in keys.items()} for part, keys in _lacking(beat).items()}
        if missing:
            Heartbeat.objects.filter(pk=beat.pk).update(detail=beat.detail | {"missing": missing})
        elif beat.detail.get("missing"):
            earlier = {key: _earlier(at) for key, at in beat.detail["missing"].items()}
            Heartbeat.objects.filter(pk=beat.pk).update(detail=beat.detail | {"missing": earlier})


def of_rows() -> list[Any]:
    return [model for model in apps.get_models() if any(field.name == "missing_since" for field in model._meta.fields)]


def _lacking(beat: Heartbeat) -> dict[str, dict[str, str]]:
    missing = beat.detail.get("missing", {})
    return {part: keys for part, keys in missing.items() if isinstance(keys, dict)}


def _earlier(at: str) -> str:
    return (datetime.fromisoformat(at) - timedelta(minutes=1)).isoformat()
