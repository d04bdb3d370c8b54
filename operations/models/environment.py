"""Environment: production, staging or a preview, and the names (never the values) of the variables that reach it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, ClassVar, Self
from urllib.parse import quote

from django.core.validators import URLValidator
from django.db import models, transaction
from django.db.models.functions import Now

from operations.models import environment_columns as columns
from operations.models.environment_columns import variable_name

PORTAL = "portal"
DEFAULT_VOTES = {"routine": 0, "sensitive": 1, "destructive": 2}  # where it is protected
PURPOSES = ("export", "migration", "restore")


class EnvironmentQuerySet(models.QuerySet["Environment"]):
    def update(self, **fields: Any) -> int:
        """As any other, and rows that were signed are signed as they are afterwards; one that SQL changed stays so."""
        if not set(fields) & set(columns.SIGNED):
            return super().update(**fields)
        with transaction.atomic():
            rows = list(Environment.objects.select_for_update().filter(pk__in=self.order_by().values("pk")))
            changed = super().update(**fields, revision=models.F("revision") + 1)
            self.sign(row.pk for row in rows if not row.was_altered)
        return changed

    def sign(self, keys: Iterable[int]) -> None:
        """This portal stands for what these rows ask for."""
        for values in Environment.objects.filter(pk__in=list(keys)).values("pk", *columns.SIGNED):
            super(EnvironmentQuerySet, Environment.objects.filter(pk=values["pk"])).update(mac=columns.mac_of(values))

    def of_the_product(self) -> EnvironmentQuerySet:
        """Without the portal's own database, which is exported like one but is nobody's product."""
        return self.exclude(kind="portal")

    def portal(self) -> Environment:
        """The portal's own environment, which every portal has; made where it is not there yet."""
        made, _ = self.get_or_create(
            slug=PORTAL,
            defaults={
                "name": "The portal itself",
                "kind": PORTAL,
                "votes_sensitive": 1,
                "votes_destructive": 2,
                "export_dsn_env": "DATABASE_URL",
            },
        )
        return made

    def of_one_database(self, environment: Environment) -> EnvironmentQuerySet:
        """The others whose recorded database may be this environment's; none while that is not known."""
        known = self.filter(database_oid=environment.database_oid) if environment.identified else self.none()
        if environment.system_identifier:
            known = known.filter(system_identifier__in=[environment.system_identifier, ""])
        return known.exclude(pk=environment.pk)

    def named(self, slug: str) -> EnvironmentQuerySet:
        """Whoever has this slug, or one that would name the same variables."""
        return self.annotate(folded=columns.FOLDED).filter(folded=columns.folded(slug))


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
    owners = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="Who answers for it: names or a team."
    )
    runbook_url = models.CharField(
        max_length=500,
        blank=True,
        default="",
        db_default="",
        validators=[URLValidator(schemes=["http", "https"])],
        help_text="What to do when it fails; {service} stands for a service's name.",
    )
    export_dsn_env = models.CharField(max_length=100, blank=True, validators=[variable_name])
    migration_dsn_env = models.CharField(max_length=100, blank=True, validators=[variable_name])
    restore_dsn_env = models.CharField(max_length=100, blank=True, validators=[variable_name])
    votes_routine = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Empty: the default for this risk."
    )
    votes_sensitive = models.PositiveSmallIntegerField(null=True, blank=True)
    votes_destructive = models.PositiveSmallIntegerField(null=True, blank=True)
    system_identifier = models.CharField(max_length=20, blank=True, default="", editable=False)
    database_oid = models.BigIntegerField(null=True, blank=True, editable=False)
    database_name = models.CharField(max_length=63, blank=True, default="", editable=False)
    addresses = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    revision = columns.RevisionField(default=0, db_default=0, editable=False)
    mac = columns.MacField(max_length=120, blank=True, default="", db_default="", editable=False)

    was_altered = False  # when it was read: SQL changed what it asks for, past this portal

    objects: ClassVar[EnvironmentQuerySet] = EnvironmentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-protected", "slug"]
        constraints = columns.CONSTRAINTS

    def __str__(self) -> str:
        return self.slug

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **more: Any) -> Self:
        """A row that was read knows whether this portal wrote it; one that was read in part counts as altered."""
        row = super().from_db(db, field_names, values, **more)
        read = row.__dict__
        row.was_altered = not (set(columns.SIGNED) <= read.keys() and columns.fits(read, read.get("mac", "")))
        return row

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        super().refresh_from_db(*args, **kwargs)
        self.was_altered = not columns.fits(vars(self), self.mac)

    @property
    def identified(self) -> bool:
        """Whether it is recorded which database this is."""
        return self.database_oid is not None

    def of_one_database(self) -> list[Environment]:
        """This environment and every other that leads to the same database."""
        if not self.identified:
            return [self]
        return [self, *Environment.objects.of_one_database(self)]

    def votes(self, risk: str) -> int:
        """How many other people must approve such an act: as its database's strictest environment says, at least."""
        return max(columns.least_votes(risk), *(each.own_votes(risk) for each in self.of_one_database()))

    def own_votes(self, risk: str) -> int:
        """What this row asks for by itself; one that SQL changed as much as any environment asks or it ever did."""
        typed = self._typed_votes(risk)
        if not self.was_altered:
            return typed
        others = Environment.objects.of_the_product().exclude(pk=self.pk)
        strictest = max((other._typed_votes(risk) for other in others), default=0)
        return max(typed, DEFAULT_VOTES[risk], columns.most_ever(self.slug, risk), strictest)

    def _typed_votes(self, risk: str) -> int:
        """Defaults: docs/design.md 11."""
        own = {
            "routine": self.votes_routine,
            "sensitive": self.votes_sensitive,
            "destructive": self.votes_destructive,
        }[risk]
        defaults = DEFAULT_VOTES if self.protected else {"destructive": 1}
        return own if own is not None else defaults.get(risk, 0)

    def frozen(self) -> bool:
        return self.frozen_by() is not None

    def frozen_by(self) -> Environment | None:
        """Whose freeze holds: its own, or that of another environment of the same database."""
        return next((environment for environment in self.of_one_database() if environment.own_freeze()), None)

    def own_freeze(self) -> bool:
        if self.frozen_until is None:
            return False
        return Environment.objects.filter(pk=self.pk, frozen_until__gt=Now()).exists()

    def runbook(self, service: str = "") -> str:
        """Its address for this service, or for the environment as a whole."""
        return self.runbook_url.replace("{service}", quote(service or self.slug))

    def names(self, purpose: str) -> str:
        """The variable that somebody typed for `export`, `migration` or `restore`; empty: the default."""
        return str(getattr(self, f"{purpose}_dsn_env"))

    def variable(self, purpose: str) -> str:
        """The variable that holds this environment's DSN for `export`, `migration` or `restore`."""
        return self.names(purpose) or f"SAMPELIT_{columns.folded(self.slug)}_{purpose.upper()}_DSN"

    def variables(self) -> set[str]:
        """Every variable that leads to its database."""
        return {self.variable(purpose) for purpose in PURPOSES}
