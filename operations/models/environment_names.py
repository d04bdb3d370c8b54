"""Names of environments: the variables that lead to one, and what of a slug is in them."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Replace, Upper


def variable_name(value: str) -> None:
    """Raise ValidationError unless `value` is the name of an environment variable (a pasted secret is not)."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{2,99}", value):
        raise ValidationError("Give the name of a variable (capital letters, digits, _), never its value.")


def folded(slug: str) -> str:
    """What of a slug is in the names of its variables: `Pr-1` and `pr_1` are one."""
    return slug.upper().replace("-", "_")


FOLDED = Upper(Replace("slug", models.Value("-"), models.Value("_")))
