"""Who somebody is here whom the sign-in provider names, and which roles its groups give them now.

In: the claims of an ID token that was checked. Out: the person, with exactly those roles. Accounts belong to an issuer
and a subject, never to a mail address: whoever has an account of this name or address links it while signed in.
"""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from ledger.services import record
from operations import authority
from operations.accounts import SIGN_ON, why_not_name
from operations.periodic.clock import database_time
from providers.errors import Refused
from sampelit_ops.models import Identity
from sampelit_ops.signin.role_changes import change_roles
from sampelit_ops.signin.sessions import end_access

_NAME = re.compile(r"[\w.@+-]{1,150}")


def person_of(claims: dict[str, Any]) -> User:
    """The active person, with the roles of today. Raises Refused for strangers without a role and for leavers."""
    roles = roles_of(claims)
    identity = _identity(claims).select_related("user").first()
    if identity is None:
        return _made(claims, roles)
    if not identity.user.is_active:
        raise Refused("Your account here is deactivated. You are not signed in; ask an admin.")
    if not roles:
        _leaves(identity.user)
    Identity.objects.filter(pk=identity.pk).update(refreshed_at=database_time())
    hold(identity.user, roles)
    return User.objects.get(pk=identity.user_id)


def roles_of(claims: dict[str, Any]) -> list[str]:
    """The roles (`Operator`, `Approver@staging`) that the settings give to the groups of the claim."""
    named = claims.get(settings.OIDC_GROUPS_CLAIM)
    groups = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    given = {role for group, role in pairs() if group in groups}
    return sorted(role for role in given if "@" not in role or role.partition("@")[0] not in given)


def pairs() -> list[tuple[str, str]]:
    """OIDC_ROLES as (group, role); a group's own name may hold `=`, a role's may not."""
    return [(text.rpartition("=")[0], text.rpartition("=")[2]) for text in settings.OIDC_ROLES]


@transaction.atomic
def link(person: User, claims: dict[str, Any]) -> None:
    """From now on this identity signs in as this person. Raises Refused where it belongs to another."""
    identity = _identity(claims).first()
    if identity is not None and identity.user_id == person.pk:
        return
    if identity is not None or Identity.objects.filter(user=person, issuer=claims["iss"]).exists():
        raise Refused("That identity or your account is linked to another one already. Nothing was changed.")
    Identity.objects.create(user=person, issuer=claims["iss"], subject=claims["sub"])
    record("signin.identity_linked", actor=person.username, data={"issuer": claims["iss"]})


def by_provider(claims: dict[str, Any]) -> bool:
    """Whether the provider says that it asked for a second factor, and the settings believe it."""
    methods = claims.get("amr")
    said = {str(claims.get("acr", "")), *(map(str, methods) if isinstance(methods, list) else ())}
    return bool(said & set(settings.OIDC_TRUSTED_MFA))


def _identity(claims: dict[str, Any]) -> Any:
    return Identity.objects.filter(issuer=claims["iss"], subject=claims["sub"])


@transaction.atomic
def hold(person: User, roles: list[str]) -> None:
    """Exactly these roles from now on; the groups decided it, so nobody shows a factor for it."""
    locked = User.objects.select_for_update().get(pk=person.pk)
    before, after = set(authority.roles(locked)), set(roles)
    if before != after:
        change_roles(locked, sorted(after - before), sorted(before - after), by=SIGN_ON)


def _leaves(person: User) -> None:
    """No group of theirs gives a role any more: what they held ends now. Raises Refused."""
    with transaction.atomic():
        hold(person, [])
        end_access(person, actor=SIGN_ON, why="no group gives a role any more")
    raise Refused("None of your groups has a role here any more. You are not signed in; sessions and tokens ended.")


def _made(claims: dict[str, Any], roles: list[str]) -> User:
    if not roles:
        raise Refused("None of your groups has a role here. You are not signed in; ask an admin which group has.")
    name, email = _name(claims), _email(claims)
    taken = User.objects.filter(username__iexact=name) | User.objects.filter(email__iexact=email).exclude(email="")
    if why_not_name(name) or taken.exists():
        raise Refused(
            "Somebody with your name or address has an account here. You are not signed in. If it is yours, sign in "
            "with its password and link it under Sessions."
        )
    try:
        with transaction.atomic():
            return _saved(name, email, claims, roles)
    except IntegrityError:
        raise Refused("You signed in twice at the same moment. Begin again.") from None


def _saved(name: str, email: str, claims: dict[str, Any], roles: list[str]) -> User:
    person = User(username=name, email=email, is_staff=True)
    person.first_name, person.last_name = (str(claims.get(part, ""))[:150] for part in ("given_name", "family_name"))
    person.set_unusable_password()
    person.save()
    Identity.objects.create(user=person, issuer=claims["iss"], subject=claims["sub"])
    record("signin.provisioned", actor=SIGN_ON, subject=name, data={"issuer": claims["iss"]})
    hold(person, roles)
    return User.objects.get(pk=person.pk)


def _name(claims: dict[str, Any]) -> str:
    wanted = str(claims.get("preferred_username") or claims.get("email") or claims["sub"])
    if not _NAME.fullmatch(wanted):
        raise Refused("The sign-in provider's name for you cannot be a name here. You are not signed in; ask an admin.")
    return wanted


def _email(claims: dict[str, Any]) -> str:
    """Empty where the provider says that it was not verified."""
    email = claims.get("email")
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return str(email)[:254] if claims.get("email_verified", True) is True else ""
