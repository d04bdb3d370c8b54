"""A session's beginning and end: what it is known by, who hears of it, and who ended it.

In: the request that signed somebody in, or the person whose sessions end. Out: entries, and one mail to the person
for each browser that never signed them in before.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from ledger.services import record
from operations.models import AccessToken
from operations.models.ulid import new_ulid
from operations.notify.outbox import enqueue
from operations.periodic.clock import database_time
from operations.tokens.ending import end_tokens
from sampelit_ops.models import Session
from sampelit_ops.signin import browser
from sampelit_ops.signin.client_address import client_ip

NEW_DEVICE = """{device}, from {address}.

If that was not you: sign in, choose Sessions under your name, end the others and change your password. \
Tell an admin, who can start your sign-in over.
"""


def describe(request: HttpRequest) -> None:
    """Write into the session what it is known by, and when it began."""
    now, session = database_time().timestamp(), request.session
    session["id"], session["device"], session["address"] = new_ulid(), browser.words(request), client_ip(request)[:45]
    session["began_at"] = session["seen_at"] = now


@transaction.atomic
def began(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Somebody has just signed in, through whichever door: the entry, and a mail where the browser is new."""
    describe(request)
    facts = {name: request.session[name] for name in ("device", "address")}
    if not browser.is_known(request, user):
        subject = "You signed in to Sampelit Ops from a new device"
        body, path = NEW_DEVICE.format(**facts), reverse("account:sessions")
        enqueue(f"device:{new_ulid()}", subject=subject, body=body, path=path, to=[user.email], privately=True)
    browser.remember(request, response, user)
    record("signin.signed_in", actor=user.username, data=facts)


def end_sessions(user: User, *, actor: str, why: str = "", keep: str | None = None, only: str = "") -> int:
    """Sign a person out everywhere, but for the session with the key `keep`; `only` names one. How many there were."""
    rows = Session.objects.filter(user=user).exclude(session_key=keep)
    rows = rows.filter(public_id=only) if only else rows
    with transaction.atomic():
        devices = sorted(Session.objects.living().filter(pk__in=rows).values_list("device", flat=True))
        rows.delete()
        if devices:
            data = {"devices": devices, "why": why}
            record("signin.sessions_ended", actor=actor, subject=user.username, data=data)
    return len(devices)


def end_access(user: User, *, actor: str, why: str, keep: str | None = None) -> None:
    """What a changed password, factor, role or account ends: every other session, and every token.

    It writes the ledger. Whoever has written there before in the same transaction holds all of it first.
    """
    _hold([user])
    end_sessions(user, actor=actor, why=why, keep=keep)
    end_tokens(user, actor=actor, why=why)


def hold_access(people: QuerySet[User]) -> list[User]:
    """These people, whom nobody else changes until the transaction ends, nor what `end_access` would end of theirs."""
    held = list(User.objects.select_for_update().filter(pk__in=people.values("pk")).order_by("pk"))
    _hold(held)
    return held


def _hold(people: list[User]) -> None:
    for rows in (Session.objects.filter(user__in=people), AccessToken.objects.filter(user__in=people, revoked_at=None)):
        list(rows.select_for_update().order_by("pk").values_list("pk"))
