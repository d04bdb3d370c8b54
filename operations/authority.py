"""Who may do what, where, now: the one place that every service, page and command asks before it acts.

In: a person, a permission (`app.codename`) and the environment of the act; None is an act that concerns all of them.
Out: yes or no, the sentence beside a disabled button, or everybody who may.
"""

from __future__ import annotations

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db.models import Model, Q, QuerySet

from operations.models import Environment

VOTE = "operations.approve_operation"


class EnvironmentRoles(BaseBackend):
    """Answers `has_perm(permission, environment)`, of which Django's own backend knows nothing."""

    def get_all_permissions(self, user_obj: User | AnonymousUser, obj: Model | None = None) -> set[str]:
        return ModelBackend().get_all_permissions(user_obj) if isinstance(obj, Environment) else set()


def holds(person: User | AnonymousUser, permission: str, environment: Environment | None) -> bool:
    """Whether this person is active and holds the permission for this environment; None: for all of them."""
    return person.is_active and person.has_perm(permission, environment)


def holders(permission: str, environment: Environment | None) -> QuerySet[User]:
    """The active people whose roles give them this permission there; no superuser for being one."""
    app, _, codename = permission.partition(".")
    wanted = Permission.objects.filter(codename=codename, content_type__app_label=app)
    held = Q(groups__permissions__in=wanted) | Q(user_permissions__in=wanted)
    return User.objects.filter(held, is_active=True).distinct()
