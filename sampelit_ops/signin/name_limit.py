"""A slow limit for each name beside the lock by address: whoever has a thousand addresses guesses no faster.

In: django-axes' rows of failures, which live as long as its cool-off. An address that this name signed in from within
30 days is not held by it, so that strangers cannot shut a person out of their own desk.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Max, Sum
from django.http import HttpRequest

from operations.periodic.clock import database_time
from sampelit_ops.signin.client_address import client_network

logger = logging.getLogger(__name__)
KNOWN_FOR = timedelta(days=30)


class NameLimit(AxesDatabaseHandler):
    """django-axes' handler (AXES_HANDLER), asked once more."""

    def user_login_failed(
        self, sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        """A line for the log that names people; another name may be a password in the wrong field."""
        name = get_client_username(request, credentials)
        person = name if User.objects.filter(username=name).exists() else "a name that nobody has"
        logger.warning("sign-in failed: %s from %s", person, client_network(request) if request else "nowhere")
        _by_one_clock(request)
        super().user_login_failed(sender, credentials, request, **kwargs)

    def user_logged_in(self, sender: object, request: HttpRequest, user: User, **kwargs: Any) -> None:
        """Its line among the sign-ins, at the database's time."""
        _by_one_clock(request)
        newest = AccessLog.objects.filter(username=user.get_username()).aggregate(pk=Max("pk"))["pk"] or 0
        super().user_logged_in(sender, request, user, **kwargs)
        AccessLog.objects.filter(username=user.get_username(), pk__gt=newest).update(attempt_time=database_time())

    def post_save_access_attempt(self, instance: AccessAttempt, **kwargs: Any) -> None:
        """A new row has this machine's time, whatever axes says."""
        if kwargs.get("created"):
            AccessAttempt.objects.filter(pk=instance.pk).update(attempt_time=database_time())

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Failures from this address; the limit itself where the name is locked wherever it is not known."""
        _by_one_clock(request)
        failures = super().get_failures(request, credentials)
        held = _too_many(get_client_username(request, credentials), request)
        return max(failures, settings.AXES_FAILURE_LIMIT) if held else failures


def _by_one_clock(request: HttpRequest | None) -> None:
    """axes holds stored times against this one."""
    if request is not None:
        request.axes_attempt_time = database_time()  # type: ignore[attr-defined]


def _too_many(name: str, request: HttpRequest) -> bool:
    since = database_time() - timedelta(hours=settings.AXES_COOLOFF_TIME)
    rows = AccessAttempt.objects.filter(username=name, attempt_time__gt=since)
    failures = rows.aggregate(total=Sum("failures_since_start"))["total"] or 0
    return bool(name) and failures >= settings.SIGNIN_FAILURES_OF_A_NAME and not _known(name, request)


def _known(name: str, request: HttpRequest) -> bool:
    log = AccessLog.objects.filter(username=name, ip_address=client_network(request) or None)
    return log.filter(attempt_time__gt=database_time() - KNOWN_FOR).exists()
