"""The demo's people: one per role, a second approver and one who acts on staging only, each with a TOTP device.

Passwords and TOTP keys are derived from SECRET_KEY, so every start of the same `.data` prints the same ones.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils import timezone
from django_otp.oath import TOTP

from ledger.models import Entry
from ledger.services import record
from operations.accounts import SYSTEM
from operations.factors import devices
from operations.models import Authenticator, Environment, RoleGrant
from operations.models.factor_key import is_current
from providers.errors import Refused
from sampelit_ops.roles import sync_roles

AGE = timedelta(days=90)  # long enough ago for every vote to count
PEOPLE = {
    "viewer": ("Vera Viewer", "Viewer"),
    "auditor": ("Aldo Auditor", "Auditor"),
    "operator": ("Olga Operator", "Operator"),
    "approver": ("Ada Approver", "Approver"),
    "approver2": ("Ben Approver", "Approver"),
    "stager": ("Stella Stager", "Operator@staging"),
    "admin": ("Amir Admin", "Admin"),
}


def create_demo_users() -> list[tuple[str, str, str]]:
    """Create or repair the demo users; returns (username, password, TOTP base32) each. Refused outside the demo."""
    if not settings.DEMO:
        raise Refused("Demo users exist only with DEMO=1. Nobody was created; use `sampelit-ops first_admin`.")
    sync_roles()
    return [_person(username, *about) for username, about in PEOPLE.items()]


def code_of(username: str) -> str:
    """The code of this half minute, or the next one where it was used; the sign-in takes both. Raises Refused."""
    if not settings.DEMO:
        raise Refused("Codes are printed only with DEMO=1. Nothing was read; look at your authenticator app.")
    device = Authenticator.objects.filter(user__username=username, name="demo").first()
    if device is None:
        raise Refused(f"{username} has no authenticator of the demo. Nothing was read; `make run` makes it.")
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = time.time()
    totp.time = device.t0 + device.step * max(totp.t(), device.last_t + 1)
    return f"{totp.token():06d}"


def place_demo_users() -> None:
    """Give the roles of single environments, once these are there."""
    for username, (_, role) in PEOPLE.items():
        name, _, slug = role.partition("@")
        for environment in Environment.objects.filter(slug=slug):
            person, group = User.objects.get(username=username), Group.objects.get(name=name)
            RoleGrant.objects.get_or_create(person=person, role=group, environment=environment)


@transaction.atomic
def _person(username: str, full_name: str, role: str) -> tuple[str, str, str]:
    password, key = _derived(username, "password")[:10].hex(), _derived(username, "totp")[:20]
    first_name, last_name = full_name.split()
    names = {"first_name": first_name, "last_name": last_name, "email": f"{username}@demo.sampelit.example"}
    user, _ = User.objects.update_or_create(
        username=username, defaults={**names, "is_staff": True, "is_active": True, "is_superuser": False}
    )
    user.groups.set(Group.objects.filter(name=role))
    if not Entry.objects.filter(code="signin.invited", subject=username).exists():
        record("signin.invited", actor=SYSTEM, subject=username, data={"roles": [role]}, at=timezone.now() - AGE)
    device = Authenticator.objects.filter(user=user, name="demo").first()
    if device is None or not is_current(device.key) or device.bin_key != key:
        Authenticator.objects.filter(user=user).delete()
        devices.enrol(user, "demo", key=key)
        user.set_password(password)
        user.save(update_fields=["password"])
    return username, password, base64.b32encode(key).decode()


def _derived(username: str, purpose: str) -> bytes:
    message = f"demo {purpose} of {username}".encode()
    return hmac.digest(settings.SHARED_KEY.encode(), message, hashlib.sha256)
