"""How people get in: a signed one-time link to set a password, by mail or printed for the first admin.

In: a person's name, address and roles. Out: a user without password and a link that works once, for 72 hours.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from ledger.services import record
from providers.errors import Refused
from sampelit_ops.roles import sync_roles
from sampelit_ops.signin import devices

MAIL = """{who} gave you access to Sampelit Ops.

Set your password within 72 hours; the link works once:
{link}

Then enrol an authenticator app on your phone: every role that can act needs one.
"""


class WelcomeTokens(PasswordResetTokenGenerator):
    """Signed over the password hash and the last sign-in, so a used link is dead."""

    key_salt = "sampelit_ops.signin.welcome"


welcome_tokens = WelcomeTokens()


def link_for(user: User) -> str:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("account:welcome", kwargs={"uidb64": uid, "token": welcome_tokens.make_token(user)})
    return settings.OPS_BASE_URL.rstrip("/") + path


@transaction.atomic
def invite(user: User, roles: Iterable[Group], *, by: User) -> str:
    """Save the new person with these roles and mail the link once this transaction commits; returns what to say."""
    user.is_staff = True
    user.set_unusable_password()
    user.save()
    user.groups.set(roles)
    said = _mail(user, by)
    names = sorted(group.name for group in roles)
    record("signin.invited", actor=by.username, subject=user.username, data={"roles": names})
    return said


@transaction.atomic
def start_over(user: User, *, by: User) -> str:
    """A lost phone or password: drop both factors, which ends every session, and mail a new link; what to say."""
    if user.pk == by.pk:
        raise Refused("You cannot reset your own sign-in. Nothing was changed; ask another admin.")
    devices.remove(user)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    said = _mail(user, by)
    record("signin.second_factor_removed", actor=by.username, subject=user.username)
    record("signin.link_sent", actor=by.username, subject=user.username)
    return said


def _mail(user: User, by: User) -> str:
    """Mail the link; without a mail server it is handed to the admin, once, and never logged."""
    link = link_for(user)
    if not settings.EMAIL_HOST:
        return f"No mail server is set. Hand this link to {user.username} yourself; it works once, for 72 hours: {link}"
    text = MAIL.format(who=by.get_full_name() or by.username, link=link)
    subject = "Your access to Sampelit Ops"
    transaction.on_commit(lambda: send_mail(subject, text, None, [user.email]))
    return f"A one-time link went to {user.email}; it works for 72 hours."


@transaction.atomic
def first_admin(email: str, username: str) -> str:
    """The one-time link of the first admin. Raises Refused once any admin has signed in."""
    admins = User.objects.filter(groups__name="Admin", is_active=True, last_login__isnull=False)
    if admins.exists():
        raise Refused("There is an admin already. Nobody was created; ask them for an invitation.")
    sync_roles()
    user, _ = User.objects.get_or_create(username=username, defaults={"email": email})
    user.email, user.is_staff, user.is_active = email, True, True
    user.set_unusable_password()
    user.save()
    user.groups.set([Group.objects.get(name="Admin")])
    record("signin.first_admin", actor="system", subject=username)
    return link_for(user)
