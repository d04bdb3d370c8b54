"""Policy: which tables of an environment are copied, in what format, when. Edited in the admin; read by every run."""

from __future__ import annotations

import zoneinfo
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Now

from backups.cron_line import why_no_schedule
from backups.policy_spec import FLOOR, POINT_DAYS, PORTAL_WITHOUT_ROWS, PolicySpec, Rule, is_restore_point
from operations.databases import is_portal
from operations.models import Environment
from operations.models.environment_columns import variable_name
from providers.postgres.schema.outside import TOPICS


def table_names(value: object) -> None:
    """Raise ValidationError unless `value` is a list of table names or patterns ("schema.table", "schema.*", "*")."""
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        raise ValidationError('Give a list of tables, such as ["public.users"], or ["*"] for all.')


def topics(value: object) -> None:
    """Raise ValidationError unless `value` is a list of what a database holds besides tables."""
    if not isinstance(value, list) or not set(map(str, value)) <= set(TOPICS):
        raise ValidationError(f"Give a list of these: {', '.join(TOPICS)}.")


def cron_line(value: str) -> None:
    """Raise ValidationError unless `value` is a five-field cron line that fires, and not too often."""
    if value and (why := why_no_schedule(value)):
        raise ValidationError(why)


def time_zone_name(value: str) -> None:
    """Raise ValidationError unless `value` is a zone of the tz database."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise ValidationError("Give a zone of the tz database, such as Europe/Madrid.") from None


class PolicyQuerySet(models.QuerySet["Policy"]):
    def with_newest_proof(self) -> PolicyQuerySet:
        """Adds `newest_proof`, the time of the newest proven run that counts."""
        counts = models.Q(runs__status="proven", runs__operation__seeded=False)
        return self.annotate(newest_proof=models.Max("runs__proven_at", filter=counts))


class Policy(models.Model):
    class Format(models.TextChoices):
        AUTO = "auto", "Audit set as CSV, other tables binary"
        CSV = "csv", "CSV"
        BINARY = "binary", "Binary"

    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="policies")
    name = models.SlugField(max_length=63)
    description = models.CharField(max_length=200, blank=True)
    tables = models.JSONField(default=list, validators=[table_names])
    closure = models.BooleanField(default=True, help_text="Also every table that foreign keys of these lead to.")
    not_wanted = models.JSONField(
        default=list, blank=True, validators=[topics], help_text="Kept otherwise, or worth nothing: no alarm."
    )
    format = models.CharField(max_length=6, choices=Format, default=Format.AUTO)
    built_in = models.BooleanField(default=False, editable=False)
    enabled = models.BooleanField(default=True)
    cron = models.CharField(
        max_length=100, blank=True, validators=[cron_line], help_text="When it runs by itself; empty: never."
    )
    time_zone = models.CharField(max_length=60, default="UTC", validators=[time_zone_name])
    grace_minutes = models.PositiveIntegerField(default=60, help_text="A slot not proven by then is late.")
    ping_url_env = models.CharField(
        max_length=100, blank=True, validators=[variable_name], help_text="Variable with an outside dead-man URL."
    )
    second_store_env = models.CharField(
        max_length=100, blank=True, validators=[variable_name], help_text="Variable with a second store URL."
    )
    keep_last = models.PositiveSmallIntegerField(
        default=24, validators=[MinValueValidator(FLOOR)], help_text="The newest proven runs, however close together."
    )
    keep_daily = models.PositiveSmallIntegerField(default=14, help_text="Days of which the newest proven run is kept.")
    keep_weekly = models.PositiveSmallIntegerField(default=8)
    keep_monthly = models.PositiveSmallIntegerField(default=12)
    keep_yearly = models.PositiveSmallIntegerField(default=7)
    keep_unproven_days = models.PositiveSmallIntegerField(
        default=30, help_text="Runs that were never proven, once newer proven ones exist."
    )
    rto_budget_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="A proof (restore and comparison) that takes longer is suspect; empty: no limit.",
    )
    identity_accepted_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Runs before this do not say which database it has to be."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    scheduled_at = models.DateTimeField(
        db_default=Now(), editable=False, help_text="Since when this schedule holds; earlier slots were never due."
    )

    objects: ClassVar[PolicyQuerySet] = PolicyQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["environment__slug", "name"]
        verbose_name_plural = "policies"
        permissions = [("apply_retention", "Can retire, bring back and purge runs")]
        constraints = [
            models.UniqueConstraint(fields=["environment", "name"], name="policy_once_per_environment"),
            models.CheckConstraint(name="policy_keeps_floor", condition=models.Q(keep_last__gte=FLOOR)),
            models.CheckConstraint(
                name="policy_format_known", condition=models.Q(format__in=["auto", "csv", "binary"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.environment}/{self.title}"

    @property
    def key(self) -> str:
        """What its alarms and findings are found again by: of two restore points of one migration each its own."""
        return f"{self.environment}/{self.name}"

    @property
    def title(self) -> str:
        """As people call it: a restore point by what it was made before, not by its operation's id."""
        return self.description if self.description and is_restore_point(self.name) else self.name

    def spec(self) -> PolicySpec:
        portal = is_portal(self.environment)
        return PolicySpec(
            name=self.name,
            environment=self.environment.slug,
            tables=tuple(self.tables),
            format=self.format,
            closure=self.closure,
            without_rows=PORTAL_WITHOUT_ROWS if portal else (),
        )

    def rule(self) -> Rule:
        """What retention keeps of this policy."""
        return Rule(
            last=self.keep_last,
            daily=self.keep_daily,
            weekly=self.keep_weekly,
            monthly=self.keep_monthly,
            yearly=self.keep_yearly,
            unproven_days=self.keep_unproven_days,
            zone=self.time_zone,
            point_days=POINT_DAYS if is_restore_point(self.name) else 0,
        )
