"""What an answer lacked, as if it had lacked it for a minute."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import F


def for_a_minute(*models: Any) -> None:
    for model in models:
        model.objects.exclude(missing_since=None).update(missing_since=F("missing_since") - timedelta(minutes=1))
