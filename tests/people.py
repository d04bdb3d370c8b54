"""People who may do exactly what is named."""

from __future__ import annotations

from django.contrib.auth.models import Permission, User

from ledger.services import record
from operations.authority import roles
from operations.engine.request import record_about
from operations.models import Operation
from operations.votes.asked import REQUESTED
from operations.votes.standing import APPROVER, CONFIRMED


def holder(username: str, *codenames: str) -> User:
    """A staff member with a password; a permission is its codename, or `app.codename` where several apps have it."""
    user = User.objects.create_user(username, password="long enough password", is_staff=True)
    for codename in codenames:
        app, _, name = codename.rpartition(".")
        permissions = Permission.objects.filter(codename=name, **({"content_type__app_label": app} if app else {}))
        user.user_permissions.add(*permissions)
    if "approve_operation" in codenames:
        vouch_for(user)
    return User.objects.get(pk=user.pk)


def vouch_for(user: User) -> User:
    """As if an admin had confirmed an approver: the votes count, however young the row is."""
    record(CONFIRMED, actor="a second admin", subject=user.username, data={"roles": [*roles(user), APPROVER]})
    return user


def asked_for(operation: Operation) -> Operation:
    """As if the person of the row had asked through the portal: without the entry no claim takes it."""
    by, sha256 = operation.requested_by.username, operation.content_sha256
    record_about(operation, REQUESTED, actor=by, content_sha256=sha256)
    return operation
