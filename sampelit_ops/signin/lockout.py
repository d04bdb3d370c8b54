"""What happens when a name is locked from an address: a plain page, and once per lock an entry and a message.

In: django-axes' call (AXES_LOCKOUT_CALLABLE). Out: the 429 page. Names that nobody has leave no trace, so guessing
names cannot fill the ledger.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ledger.models import Entry
from ledger.services import record
from operations import notify
from operations.accounts import SYSTEM
from operations.periodic.clock import database_time
from sampelit_ops.signin.client_address import client_ip

CODE = "signin.locked"
_QUIET = timedelta(minutes=15)


def locked(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None) -> HttpResponse:
    """The page; the lock itself is django-axes'."""
    name = str((credentials or {}).get("username") or request.POST.get("username", ""))[:150].replace("\x00", "")
    person = User.objects.filter(username=name).first()
    if person is not None and not _told_lately(person.username):
        _tell(person.username, client_ip(request))
    return render(request, "account/locked.html", status=429)


def _told_lately(username: str) -> bool:
    lately = Entry.objects.filter(subject=username, code=CODE, at__gt=database_time() - _QUIET)
    return lately.exists()


@transaction.atomic
def _tell(username: str, address: str) -> None:
    body = f"Five failed sign-ins from {address}. Ask them whether it was they; if not, start their sign-in over."
    key = f"locked:{username}:{database_time():%Y%m%d%H%M}"
    notify.enqueue(key, subject=f"Sign-in of {username} is locked for a while", body=body)
    record(CODE, actor=SYSTEM, subject=username, data={"address": address})
