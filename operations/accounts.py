"""The actors that are no person: their names in the ledger, and the account that schedules act as.

In: a permission that a schedule needs. Out: the user `system`, which cannot sign in. No person may take one of the
names, also not one of those that only older entries hold.
"""

from __future__ import annotations

from django.contrib.auth.models import Permission, User

SYSTEM = "system"
RENDER = "Render"
SETUP = "setup"
SHELL = "shell"

MACHINES = {
    SYSTEM: "the portal itself: its schedules, checks and engine",
    RENDER: "a change that was made at Render, outside the portal",
    SETUP: "manage.py setup, which links what it finds",
    SHELL: "a command at the shell whose user is not known",
    "portal": "the portal's health checks, in older entries",
    "watchdog": "the portal's end of a maintenance, in older entries",
}


def machine(name: str) -> str:
    """What an entry by this name would be taken for, whatever its case; empty for a name that a person may have."""
    same = (meaning for known, meaning in MACHINES.items() if known.casefold() == name.strip().casefold())
    return next(same, "")


def system_user(permission: str) -> User:
    """The account that schedules act as, holding this permission (`app.codename`)."""
    user, created = User.objects.get_or_create(username=SYSTEM, defaults={"first_name": "Portal"})
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    if not user.has_perm(permission):
        app, _, codename = permission.partition(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        user = User.objects.get(pk=user.pk)
    return user
