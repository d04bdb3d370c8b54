"""Environment: production, staging or a preview, and the names (never the values) of the variables that reach it."""

from __future__ import annotations

import re
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.utils import timezone


def variable_name(value: str) -> None:
    """Raise ValidationError unless `value` is the name of an environment variable (a pasted secret is not)."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{2,99}", value):
        raise ValidationError("Give the name of a variable (capital letters, digits, _), never its value.")


class EnvironmentQuerySet(models.QuerySet["Environment"]):
    def of_the_product(self) -> EnvironmentQuerySet:
        """Without the portal's own database, which is exported like one but is nobody's product."""
        return self.exclude(kind="portal")


class Environment(models.Model):
    class Kind(models.TextChoices):
        PRODUCTION = "production", "Production"
        STAGING = "staging", "Staging"
        PREVIEW = "preview", "Preview"
        PORTAL = "portal", "The portal itself"

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.STAGING)
    protected = models.BooleanField(
        default=False, help_text="Sensitive and destructive acts need other people's votes."
    )
    supabase_ref = models.CharField(max_length=40, blank=True, help_text="The project's ref in Supabase's dashboard.")
    health_url = models.CharField(max_length=500, blank=True, validators=[URLValidator(schemes=["http", "https"])])
    frozen_until = models.DateTimeField(
        null=True, blank=True, help_text="No deploys before this time; rollbacks always."
    )
    freeze_reason = models.CharField(max_length=200, blank=True)
    export_dsn_env = models.CharField(max_length=100, blank=True, validators=[variable_name])
    migration_dsn_env = models.CharField(max_length=100, blank=True, validators=[variable_name])
    restore_dsn_env = models.CharField(max_length=100, blank=True, validators=[variable_name])
    votes_routine = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Empty: the default for this risk."
    )
    votes_sensitive = models.PositiveSmallIntegerField(null=True, blank=True)
    votes_destructive = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[EnvironmentQuerySet] = EnvironmentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-protected", "slug"]
        constraints = [
            models.CheckConstraint(
                name="environment_kind_known",
                condition=models.Q(kind__in=["production", "staging", "preview", "portal"]),
            ),
            models.CheckConstraint(
                name="environment_health_url_http",
                condition=models.Q(health_url="") | models.Q(health_url__regex=r"^https?://"),
            ),
            models.UniqueConstraint(
                name="environment_supabase_ref_once",
                fields=["supabase_ref"],
                condition=~models.Q(supabase_ref=""),
                violation_error_message=(
                    "Another environment has this Supabase project; its votes guard it. Empty the ref there first."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    def votes(self, risk: str) -> int:
        """How many other people must approve an act of this risk here (defaults: docs/design.md 11)."""
        own = {
            "routine": self.votes_routine,
            "sensitive": self.votes_sensitive,
            "destructive": self.votes_destructive,
        }[risk]
        defaults = {"routine": 0, "sensitive": 1, "destructive": 2} if self.protected else {"destructive": 1}
        return own if own is not None else defaults.get(risk, 0)

    def frozen(self) -> bool:
        return self.frozen_until is not None and self.frozen_until > timezone.now()

    def variable(self, purpose: str) -> str:
        """The variable that holds this environment's DSN for `export`, `migration` or `restore`."""
        named = {
            "export": self.export_dsn_env,
            "migration": self.migration_dsn_env,
            "restore": self.restore_dsn_env,
        }[purpose]
        return named or f"SAMPELIT_{self.slug.upper().replace('-', '_')}_{purpose.upper()}_DSN"
