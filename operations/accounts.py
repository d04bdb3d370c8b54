"""The actors that are no person: their names in the ledger, and the account that schedules act as.

In: a permission that a schedule needs. Out: the user `system`, marked as a machine, which cannot sign in. No person may
take one of the names or what looks like one, also not one of those that only older entries hold.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Permission, User
from django.core.exceptions import ValidationError
from django.db import transaction

from operations.models import MachineAccount
from providers.errors import Refused
from providers.lookalikes import scripts, skeleton

SYSTEM = "system"
RENDER = "Render"
SUPABASE = "Supabase"
SETUP = "setup"
SHELL = "shell"
SIGN_ON = "sign-on"

MACHINES = {
    SYSTEM: "the portal itself: its schedules, checks and engine",
    RENDER: "a change that was made at Render, outside the portal",
    SUPABASE: "a change that was made at Supabase, outside the portal",
    SETUP: "sampelit-ops setup, which links what it finds",
    SHELL: "a command at the shell whose user is not known",
    SIGN_ON: "the sign-in provider, whose groups give and take roles",
    "portal": "the portal's health checks, in older entries",
    "watchdog": "the portal's end of a maintenance, in older entries",
    "scheduler": "what schedules do",
}
_SKELETONS = {skeleton(name): meaning for name, meaning in MACHINES.items()}


def machine(name: str) -> str:
    """What an entry by this name would be taken for; empty for a name that no machine has or looks like."""
    latin = "".join(letter for letter in skeleton(name) if letter.isascii())
    return _SKELETONS.get(latin, "")


def why_not_name(name: str) -> str:
    """Why no person may be called so; empty where they may."""
    if meaning := machine(name):
        return f"In the ledger this name is {meaning}. Nobody was made; choose another name."
    if len(scripts(name)) > 1:
        return "This name mixes alphabets, so it can be taken for another. Nobody was made; choose another name."
    taken = skeleton(name)
    like = next((other for other in User.objects.values_list("username", flat=True) if skeleton(other) == taken), "")
    return f"This name looks like {like}'s. Nobody was made; choose another name." if like not in ("", name) else ""


def check_name(name: str) -> None:
    """Django's validator of the field `username`: forms, `createsuperuser` and `full_clean` ask it."""
    if why := why_not_name(name):
        raise ValidationError(why)


def is_machine(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether this account is the portal's own, by its mark and not by its name."""
    return MachineAccount.objects.filter(user=user.pk).exists()


def acts_as_machine(name: str) -> bool:
    """Whether an act in this name is the portal's own: no person has it, whoever made their row."""
    return name == SYSTEM and not User.objects.filter(username=name, machineaccount=None).exists()


def system_user(permission: str) -> User:
    """The account that schedules act as, holding this permission (`app.codename`)."""
    user = User.objects.filter(machineaccount__isnull=False).first() or _make()
    if not user.has_perm(permission):
        app, _, codename = permission.partition(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        user = User.objects.get(pk=user.pk)
    return user


@transaction.atomic
def _make() -> User:
    user, created = User.objects.get_or_create(username=SYSTEM, defaults={"first_name": "Portal", "password": "!"})
    if not created:
        raise Refused("A person is called system, so schedules have no account. Nothing was done; rename that person.")
    MachineAccount.objects.create(user=user)
    return user
