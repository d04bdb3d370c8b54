"""Session: where a person is signed in. Django's own database sessions with the columns that a person needs to know
their own by; SESSION_ENGINE leads here. What is in them is what the session itself holds, so that nothing has two
truths; ending one is deleting its row.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.db.models import QuerySet
from django.db.models.functions import Now

from operations.models.operation import database_now
from operations.periodic.clock import database_time


class SessionManager(BaseSessionManager["Session"]):
    def living(self) -> QuerySet[Session]:
        """Of signed-in people, neither expired nor idle for too long, the last used first."""
        idle_since = database_now(-settings.SESSION_IDLE_SECONDS)
        rows = self.filter(user__isnull=False, expire_date__gt=database_now(), seen_at__gt=idle_since)
        return rows.order_by("-seen_at")


class Session(AbstractBaseSession):
    public_id = models.CharField(max_length=26, blank=True, db_index=True)  # for addresses; the key is the secret
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="sessions")
    device = models.CharField(max_length=100, blank=True)
    address = models.CharField(max_length=45, blank=True)
    began_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    objects: ClassVar[SessionManager] = SessionManager()

    class Meta(AbstractBaseSession.Meta):
        default_permissions = ()

    @classmethod
    def get_session_store_class(cls) -> type[DatabaseStore]:
        return SessionStore


class SessionStore(DatabaseStore):
    """Django's documented way to more columns: https://docs.djangoproject.com/en/5.2/topics/http/sessions/.

    A session lives by the database's clock, which comes with its row (`loaded_at`): no machine's ends or extends it."""

    loaded_at: datetime | None = None

    def _get_session_from_db(self) -> Session | None:
        rows = Session.objects.annotate(now=database_now())
        row = rows.filter(session_key=self.session_key, expire_date__gt=database_now()).first()
        if row is None:
            self._session_key = None
        else:
            self.loaded_at = row.now
        return row

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = cast(Session, super().create_model_instance(data))
        row.user_id = data.get(SESSION_KEY)
        row.expire_date = self.get_expiry_date(modification=self.loaded_at or database_time())
        row.public_id, row.device, row.address = (data.get(name, "") for name in ("id", "device", "address"))
        row.began_at, row.seen_at = _at(data.get("began_at")), _at(data.get("seen_at"))
        return row


def _at(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


class Identity(models.Model):
    """Who a person is at the sign-in provider: its issuer and its own, never changing name for them."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="identities")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(db_default=Now())
    refreshed_at = models.DateTimeField(db_default=Now())  # when it last told of this person's groups

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="identity_of_one_person"),
            models.UniqueConstraint(fields=["issuer", "user"], name="person_once_at_an_issuer"),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.issuer}"


class Preference(models.Model):
    """How one person wants pages to look, on whatever device they are."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="preference"
    )
    time_zone = models.CharField(max_length=64, blank=True)  # a name of the tz database; empty is UTC

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user}: {self.time_zone or 'UTC'}"
