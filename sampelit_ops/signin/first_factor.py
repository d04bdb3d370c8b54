"""Between password and passkey: this session's browser gave a right password, and has five minutes for the rest.

In: the person whose password was right. Out: the same person, once, while the password is still theirs.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from operations.periodic.clock import database_time

KEY, SECONDS = "first_factor", 300


def remember(request: HttpRequest, user: User) -> str:
    """Note it in the session; returns the session's key, to which challenges are bound."""
    if not request.session.session_key:
        request.session.create()
    wanted = request.POST.get("next", "")
    goes = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    until = database_time().timestamp() + SECONDS
    known = {"user": user.pk, "until": until, "hash": user.get_session_auth_hash(), "next": wanted if goes else ""}
    request.session[KEY] = known
    return str(request.session.session_key)


def recall(request: HttpRequest) -> tuple[User, str] | None:
    """Who it was, and where they wanted to go; forgotten afterwards. None for nobody, too late, or a new password."""
    known = request.session.pop(KEY, None)
    if not known or known["until"] < database_time().timestamp():
        return None
    user = User.objects.filter(pk=known["user"], is_active=True).first()
    if user is None or user.get_session_auth_hash() != known["hash"]:
        return None
    return user, known["next"]
