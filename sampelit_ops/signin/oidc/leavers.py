"""People whose groups the provider has not told for too long: what those groups gave them ends.

In: the time of each identity's last sign-in by the provider, OIDC_REFRESH_DAYS. Out: no roles, sessions or tokens; an
entry, and messages to them and to every approver. To sign in by the provider again gives what the groups then say.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from ledger.services import record
from operations import authority
from operations.accounts import SIGN_ON
from operations.models.ulid import new_ulid
from operations.notify.outbox import enqueue
from operations.periodic.clock import database_time
from operations.periodic.isolation import one_by_one
from sampelit_ops.models import Identity
from sampelit_ops.signin.oidc.people import hold
from sampelit_ops.signin.sessions import end_access

logger = logging.getLogger(__name__)
TOLD = """{name} said nothing of your groups for {days} days. Your roles, sessions and tokens here have ended; sign in \
with {name} to hold again what your groups give.
"""


def stale() -> QuerySet[Identity]:
    """Of active people whom no password is left for; whoever keeps one is named in OIDC_PASSWORD_USERS."""
    before = database_time() - timedelta(days=settings.OIDC_REFRESH_DAYS)
    rows = Identity.objects.filter(issuer=settings.OIDC_ISSUER, refreshed_at__lt=before, user__is_active=True)
    return rows.exclude(user__username__in=settings.OIDC_PASSWORD_USERS).select_related("user")


def end_stale() -> None:
    """The hourly duty: each person once, as they hold nothing afterwards."""
    if not settings.OIDC_ISSUER:
        return
    one_by_one([identity.user for identity in stale()], _end_if_stale)


def _end_if_stale(person: User) -> None:
    if not authority.roles(person):
        return
    if _last_admin(person):
        logger.warning("%s is the last admin and keeps their roles, though no sign-in told of them", person)
        return
    _end(person)


def _last_admin(person: User) -> bool:
    admins = User.objects.filter(groups__name="Admin", is_active=True)
    return admins.filter(pk=person.pk).exists() and not admins.exclude(pk=person.pk).exists()


@transaction.atomic
def _end(person: User) -> None:
    facts = {"name": settings.OIDC_NAME, "days": settings.OIDC_REFRESH_DAYS}
    hold(person, [])
    end_access(person, actor=SIGN_ON, why=f"no sign-in told of their groups for {facts['days']} days")
    subject, path = "Your access to Sampelit Ops has ended", reverse("admin:login")
    enqueue(f"stale:{new_ulid()}", subject=subject, body=TOLD.format(**facts), path=path, to=[person.email])
    record("signin.groups_stale", actor=SIGN_ON, subject=person.username, data={"days": facts["days"]})
