"""The second factors of one person, as functions: what accepts a code, what is enrolled, what is left.

In: a user, a typed code. Out: the device that accepted it, or Refused. Replays are refused because an accepted code
moves the device's time step forward while its row is locked (RFC 6238, 5.2).
"""

from __future__ import annotations

import base64
import io
import secrets

import segno
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists
from django.utils.safestring import SafeString, mark_safe
from django_otp.models import Device
from django_otp.plugins.otp_totp.models import default_key

from operations.models import Authenticator, Passkey, RecoveryCodes
from operations.models.factor_key import hashed, sealed_totp_key
from providers.errors import Refused

RECOVERY_CODES = 10
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32: five bits each
_LENGTH = 16  # 80 bits


def confirmed(user: User) -> Authenticator | None:
    """The person's confirmed authenticator app, if any."""
    return Authenticator.objects.filter(user=user, confirmed=True).first()


def has_factor(user: User) -> bool:
    """Whether a password alone is not enough: an authenticator app or a passkey is enrolled."""
    app, passkey = Authenticator.objects.filter(user=user, confirmed=True), Passkey.objects.filter(user=user)
    return User.objects.filter(Exists(app) | Exists(passkey), pk=user.pk).exists()


def locked_has_factor(user: User) -> bool:
    """The same in a transaction, until whose end nobody enrols another first one."""
    User.objects.select_for_update().get(pk=user.pk)
    return has_factor(user)


def has_codes(user: User) -> bool:
    """Whether there is anything that a typed code could fit."""
    return confirmed(user) is not None or RecoveryCodes.objects.filter(user=user).exists()


def verify(user: User, code: str) -> Device:
    """The device that accepts this code; six digits go to the app's device, all else to the recovery codes.

    Raises Refused with the reason: wrong, used before, or too many failures just now.
    """
    typed = "".join(code.split()).replace("-", "").lower()
    model = Authenticator if typed.isdigit() and len(typed) <= 8 else RecoveryCodes
    with transaction.atomic():
        device = model.objects.select_for_update().filter(user=user, confirmed=True).first()
        allowed = device is not None and device.verify_is_allowed()[0]
        accepted = allowed and device is not None and device.verify_token(typed)
    if device is not None and accepted:
        return device
    if device is not None and not allowed:
        raise Refused("Too many wrong codes just now. Nothing was done; wait a minute and use a new code.")
    raise Refused("That code is wrong or was used before. Wait for your app to show a new one and try again.")


def enrol(user: User, name: str = "authenticator", *, confirmed: bool = True, key: bytes = b"") -> Authenticator:
    """A new authenticator with its key sealed; by default a random key."""
    stored = sealed_totp_key(key or bytes.fromhex(default_key()), user.pk)
    return Authenticator.objects.create(user=user, name=name, confirmed=confirmed, key=stored)


def pending(user: User) -> Authenticator:
    """The device being enrolled; one per person until a code confirms it."""
    return Authenticator.objects.filter(user=user, confirmed=False).first() or enrol(user, confirmed=False)


@transaction.atomic
def confirm(user: User, code: str) -> Authenticator:
    """Make the pending device the person's only authenticator. Raises Refused."""
    device = Authenticator.objects.select_for_update().filter(user=user, confirmed=False).first()
    if device is None or not device.verify_token("".join(code.split())):
        raise Refused("That code does not fit this key. Nothing was enrolled; check your phone's clock and try again.")
    Authenticator.objects.filter(user=user).exclude(pk=device.pk).delete()
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    return device


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Replace the person's recovery codes; they are shown once, and stored as hashes."""
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(RECOVERY_CODES)]
    salt = secrets.token_hex(16)
    RecoveryCodes.objects.filter(user=user).delete()
    row = RecoveryCodes(user=user, name="recovery codes", confirmed=True)
    row.store(salt, [hashed(code, salt) for code in codes])
    row.save()
    return ["-".join(code[at : at + 4] for at in range(0, _LENGTH, 4)) for code in codes]


def remaining_recovery_codes(user: User) -> int:
    row = RecoveryCodes.objects.filter(user=user).first()
    return row.left if row else 0


def remove_app(user: User) -> None:
    Authenticator.objects.filter(user=user).delete()


def remove(user: User) -> None:
    for model in (Authenticator, RecoveryCodes, Passkey):
        model.objects.filter(user=user).delete()


def base32(device: Authenticator) -> str:
    """The key as authenticator apps take it by hand."""
    return base64.b32encode(device.bin_key).decode()


def qr_svg(device: Authenticator) -> SafeString:
    """The enrolment QR code as inline SVG without style attributes, so that a strict CSP lets it through."""
    out = io.BytesIO()
    code = segno.make(device.config_url, error="m")
    looks = {"dark": "#000", "light": "#fff", "svgclass": "qr", "lineclass": "", "title": "QR code"}
    code.save(out, kind="svg", xmldecl=False, omitsize=True, **looks)
    return mark_safe(out.getvalue().decode())  # noqa: S308  our own bytes: segno draws paths, the title is fixed
