"""The world grown: fifty rows of each list, and names as long as their columns let people write them.

In: the rows of `tests.factories.world()`. Out: of each model the key of a row whose texts are as long as they may be.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib import admin
from django.db import IntegrityError, InternalError, models, transaction
from django.utils import timezone

from ledger.models import Entry
from ledger.services import record
from operations.models import Environment

ROWS = 50
KEYS = ("render_id", "cache_key")
WORDS = "recommendation-engine-of-the-second-generation-with-a-name-that-somebody-chose-in-a-hurry-"
# Columns that people or their files fill: whatever else has letters is the portal's own, or a provider's number.
NAMES = {
    *("name", "title", "subject", "summary", "reason", "description", "detail", "error", "path", "source", "target"),
    *("slug", "url", "store_url", "repo", "branch", "image", "actor", "username", "first_name", "last_name", "email"),
    *("kept_by", "resolved_by", "placed_by", "acknowledged_by", "discovered_by", "requested_by", "produced_by"),
    *("owners", "freeze_reason", "health_detail", "doubt", "key", "comment", "entrypoint", "body_status", "version"),
}


def crowd() -> dict[str, Any]:
    """Fifty rows of each model that has a list and lets rows be copied."""
    texts = {"slug": longest(60, 1), "name": longest(100, 1), "owners": longest(200, 1)}
    place = Environment.objects.create(kind="preview", **texts)
    for number in range(ROWS):
        record("operations.note", subject=longest(200, number), actor=longest(150, number), environment=place.slug[:50])
    made = {model._meta.label_lower: _copies(model) for model in admin.site._registry if model is not Entry}
    return {**made, "operations.environment": place.pk}


def longest(most: int, number: int) -> str:
    """So many letters, unlike those of another number, without a blank."""
    return (f"{number:02d}-" + WORDS * (most // len(WORDS) + 1))[:most]


def _copies(model: type[models.Model]) -> Any:
    first = model._default_manager.order_by("pk").first()
    if first is None:
        return None
    made = None
    for number in range(ROWS):
        made = _copy(model, first.pk, number) or made
    return made


def _copy(model: type[models.Model], pk: Any, number: int) -> Any:
    """The copy's key, or None where a constraint says that there is only one of the kind."""
    row = model._default_manager.get(pk=pk)
    row.pk = uuid4().hex[:26] if isinstance(model._meta.pk, models.CharField) else None
    row._state.adding = True
    for field in model._meta.concrete_fields:
        if not field.primary_key and (value := _unlike(field, number)) is not None:
            setattr(row, field.attname, value)
    try:
        with transaction.atomic():
            model._default_manager.bulk_create([row])
    except (IntegrityError, InternalError):
        return None
    return row.pk


def _unlike(field: models.Field[Any, Any], number: int) -> Any:
    """What a copy holds instead, or None where it holds the same."""
    if field.name in ("line", "version") and isinstance(field, models.IntegerField):
        return 1000 + number
    if field.name == "missing_since":  # every other is in doubt, which is longer to say than that it is there
        return timezone.now() if number % 2 else None
    if field.name in ("operation", "incident") and isinstance(field, models.ForeignKey):
        return field.related_model._default_manager.order_by("-pk").values_list("pk", flat=True)[number]
    if not isinstance(field, models.CharField) or not field.max_length:
        return None
    if field.name in NAMES and not field.choices:
        return longest(field.max_length, number)
    if field.unique or field.name in KEYS:
        return (uuid4().hex * 2)[: field.max_length]
    return None
