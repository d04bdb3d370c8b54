"""The second factor of one person: a TOTP device and recovery codes (django-otp), as functions.

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
from django.utils.safestring import SafeString, mark_safe
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from providers.errors import Refused

RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def confirmed(user: User) -> TOTPDevice | None:
    """The person's confirmed TOTP device, if any."""
    return TOTPDevice.objects.filter(user=user, confirmed=True).first()


def verify(user: User, code: str) -> Device:
    """The device that accepts this code; six digits go to the app's device, all else to the recovery codes.

    Raises Refused with the reason: wrong, used before, or too many failures just now.
    """
    typed = "".join(code.split()).lower()
    model = TOTPDevice if typed.isdigit() else StaticDevice
    with transaction.atomic():
        device = model.objects.select_for_update().filter(user=user, confirmed=True).first()
        allowed = device is not None and device.verify_is_allowed()[0]
        accepted = allowed and device is not None and device.verify_token(typed)
    if device is not None and accepted:
        return device
    if device is not None and not allowed:
        raise Refused("Too many wrong codes just now. Nothing was done; wait a minute and use a new code.")
    raise Refused("That code is wrong or was used before. Wait for your app to show a new one and try again.")


def pending(user: User) -> TOTPDevice:
    """The device being enrolled; one per person until a code confirms it."""
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    return device or TOTPDevice.objects.create(user=user, name="authenticator", confirmed=False)


@transaction.atomic
def confirm(user: User, code: str) -> tuple[TOTPDevice, list[str]]:
    """Make the pending device the person's only one; returns it with fresh recovery codes. Raises Refused."""
    device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
    if device is None or not device.verify_token("".join(code.split())):
        raise Refused("That code does not fit this key. Nothing was enrolled; check your phone's clock and try again.")
    TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    return device, new_recovery_codes(user)


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Replace the person's recovery codes; they are shown once."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery codes", confirmed=True)
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(12)) for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


def remaining_recovery_codes(user: User) -> int:
    return StaticToken.objects.filter(device__user=user).count()


def remove(user: User) -> None:
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()


def base32(device: TOTPDevice) -> str:
    """The key as authenticator apps take it by hand."""
    return base64.b32encode(device.bin_key).decode()


def qr_svg(device: TOTPDevice) -> SafeString:
    """The enrolment QR code as inline SVG without style attributes, so that a strict CSP lets it through."""
    out = io.BytesIO()
    code = segno.make(device.config_url, error="m")
    looks = {"dark": "#000", "light": "#fff", "svgclass": "qr", "lineclass": "", "title": "QR code"}
    code.save(out, kind="svg", xmldecl=False, omitsize=True, **looks)
    return mark_safe(out.getvalue().decode())  # noqa: S308  our own bytes: segno draws paths, the title is fixed
