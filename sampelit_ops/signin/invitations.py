"""How people get in: a signed one-time link to set a password, by mail or printed for the first admin.

In: a person's name, address and roles. Out: a user without password and a link that works once, for 72 hours; where
links go to is an address whose change the old one and all approvers hear of.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.timezone import make_naive

from ledger.services import record
from operations.accounts import SYSTEM, why_not_name
from operations.authority import VOTE, holders_anywhere
from operations.factors import devices, enrolments
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.models.ulid import new_ulid
from operations.notify.outbox import addresses, enqueue
from operations.periodic.clock import database_time
from operations.votes import authority_key
from providers.errors import Refused
from sampelit_ops.models import Identity
from sampelit_ops.roles import sync_roles
from sampelit_ops.signin.role_changes import change_roles, set_roles, words
from sampelit_ops.signin.sessions import end_access

MAIL = """{who} gave you access to Sampelit Ops.

Set your password within 72 hours; the link works once:
{link}

Then enrol an authenticator app on your phone: every role that can act needs one.
"""


class WelcomeTokens(PasswordResetTokenGenerator):
    """Signed over the password hash and the last sign-in, so a used link is dead."""

    key_salt = "sampelit_ops.signin.welcome"

    def _now(self) -> datetime:
        """The database's time, so that a link lives as long on every machine."""
        return make_naive(database_time())


welcome_tokens = WelcomeTokens()


def link_for(user: User) -> str:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("account:welcome", kwargs={"uidb64": uid, "token": welcome_tokens.make_token(user)})
    return settings.OPS_BASE_URL.rstrip("/") + path


@transaction.atomic
def invite(user: User, roles: Iterable[str], *, by: User) -> str:
    """Save the new person with these roles and mail the link once this transaction commits; returns what to say."""
    given = sorted(set(roles))
    spend(by.username, Binding("signin.invite", user.username, digest_of(user.email, given)))
    user.is_staff = True
    user.set_unusable_password()
    user.save()
    record("signin.invited", actor=by.username, subject=user.username, data={"roles": [words(role) for role in given]})
    change_roles(user, given, [], by=by.username)
    return _hand_over(user, by)


@transaction.atomic
def start_over(user: User, *, by: User) -> str:
    """A lost phone or password: drop both factors and all tokens, which ends all sessions; mail a link. What to say."""
    if user.pk == by.pk:
        raise Refused("You cannot reset your own sign-in. Nothing was changed; ask another admin.")
    spend(by.username, Binding("signin.start_over", user.username, digest_of(user.email)))
    devices.remove(user)
    Identity.objects.filter(user=user).delete()
    user.set_unusable_password()
    user.save(update_fields=["password"])
    end_access(user, actor=by.username, why="the sign-in starts over")
    record(enrolments.STARTED_OVER, actor=by.username, subject=user.username)
    return _hand_over(user, by)


@transaction.atomic
def change_contact(user: User, before: str, *, by: User) -> None:
    """Record that links for this person now go elsewhere, and tell the old address and every approver."""
    now = user.email
    spend(by.username, Binding("signin.contact", user.username, digest_of(before, now)))
    body = f"{by.username} changed it from {before or 'nothing'} to {now}; one-time links go there from now on."
    subject = f"The address of {user.username} was changed by {by.username}"
    path = reverse("admin:auth_user_change", args=[user.pk])
    recipients = [before, *addresses(holders_anywhere(VOTE))]
    enqueue(f"contact:{new_ulid()}", subject=subject, body=body, path=path, to=recipients)
    data = {"before": before, "after": now}
    record("signin.contact_changed", actor=by.username, subject=user.username, data=data)


def _hand_over(user: User, by: User) -> str:
    """Mail the link, or, without a mail server, show it to the admin, once; the ledger says which, never the link."""
    link = link_for(user)
    code = "signin.link_sent" if settings.EMAIL_HOST else "signin.link_shown"
    record(code, actor=by.username, subject=user.username)
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
    if why := why_not_name(username):
        raise Refused(f"{why} Give it as --username.")
    sync_roles()
    user, _ = User.objects.get_or_create(username=username, defaults={"email": email})
    user.email, user.is_staff, user.is_active = email, True, True
    user.set_unusable_password()
    user.save()
    authority_key.publish()
    record("signin.first_admin", actor=SYSTEM, subject=username)
    set_roles(user, ["Admin"], by=SYSTEM)
    return link_for(user)
