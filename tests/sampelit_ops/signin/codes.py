"""What the sign-in tests share: the password everybody has, and what an authenticator app shows."""

from __future__ import annotations

import time

from django_otp.oath import TOTP

from operations.models import Authenticator

PASSWORD = "correct horse battery"


def code_of(device: Authenticator, steps: int = 0) -> str:
    """The code an authenticator app shows now, or `steps` periods later."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = time.time() + steps * device.step
    return f"{totp.token():06d}"
