"""Second factors: Authenticator (an app's TOTP key), RecoveryCodes and Passkey, all devices of django-otp.

Keys are sealed under FACTOR_KEY and bound to their person; recovery codes are only there as slow hashes.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models.functions import Now
from django_otp.models import MAX_THROTTLE_DELAY_SECONDS, Device, ThrottlingMixin, TimestampMixin
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from ledger.models import database_time
from operations.models.factor_key import hashed, opened, sealed


class Paused:
    """django-otp's pause after wrong codes (1, 2, 4, 8 … seconds) and time of the last use, by the database's clock."""

    last_used_at: datetime | None
    throttling_failure_timestamp: datetime | None
    throttling_failure_count: int
    get_throttle_factor: Callable[[], float]
    save: Callable[[], None]

    def verify_is_allowed(self) -> tuple[bool, None]:
        """Whether a code is looked at now."""
        failed_at, failures = self.throttling_failure_timestamp, self.throttling_failure_count
        if failed_at is None or not failures:
            return True, None
        pause = min(self.get_throttle_factor() * 2 ** (failures - 1), MAX_THROTTLE_DELAY_SECONDS)
        return database_time() >= failed_at + timedelta(seconds=pause), None

    def throttle_increment(self, commit: bool = True) -> None:
        self.throttling_failure_timestamp = database_time()
        self.throttling_failure_count += 1
        if commit:
            self.save()

    def set_last_used_timestamp(self, commit: bool = True) -> None:
        self.last_used_at = database_time()
        if commit:
            self.save()


class Enrolled(TimestampMixin):
    """When it was enrolled, by the database's clock."""

    created_at = models.DateTimeField(db_default=Now(), null=True, blank=True)

    class Meta:
        abstract = True


class Authenticator(Paused, TOTPDevice):
    """django-otp's device with a sealed key, our pause and the database's clock; all else is django-otp's."""

    last_t: int  # of the newest code that was used, in steps

    class Meta:
        proxy = True
        default_permissions = ()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """django-otp's column is filled by this machine's clock when the row is made: it is mended at once."""
        new = self._state.adding
        super().save(*args, **kwargs)
        if new:
            self.created_at = database_time()
            super().save()

    @property
    def bin_key(self) -> bytes:
        return opened(self.key, self.seal_owner)

    @property
    def seal_owner(self) -> str:
        return f"totp {self.user_id}"

    def verify_token(self, token: str) -> bool:
        """Whether it is a code of now that was not used, whatever this machine's clock says. Call it with the row
        locked."""
        if not self.verify_is_allowed()[0]:
            return False
        totp = TOTP(self.bin_key, self.step, self.t0, self.digits, self.drift)
        totp.time = database_time().timestamp()
        is_code = len(token) == self.digits and token.isdecimal()
        if not is_code or not totp.verify(int(token), self.tolerance, self.last_t + 1):
            self.throttle_increment(commit=True)
            return False
        self.last_t = totp.t()
        self.throttle_reset(commit=False)
        self.set_last_used_timestamp(commit=False)
        self.save()
        return True


class RecoveryCodes(Paused, Enrolled, ThrottlingMixin, Device):
    """One row a person: slow hashes of the codes that are left; a code's hash goes when it is used."""

    hashes = models.TextField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user"], name="recovery_codes_once")]

    @property
    def left(self) -> int:
        return len(self._opened()["hashes"])

    def store(self, salt: str, hashes: list[str]) -> None:
        self.hashes = sealed(json.dumps({"salt": salt, "hashes": hashes}).encode(), self.seal_owner)

    @property
    def seal_owner(self) -> str:
        return f"recovery {self.user_id}"

    def get_throttle_factor(self) -> float:
        return 1

    def verify_token(self, token: str) -> bool:
        """Whether it is one that is left; it is none afterwards. Call it with the row locked."""
        if not self.verify_is_allowed()[0]:
            return False
        known = self._opened()
        given = hashed(token, known["salt"])
        left = [each for each in known["hashes"] if not hmac.compare_digest(each, given)]
        if len(left) == len(known["hashes"]):
            self.throttle_increment(commit=True)
            return False
        self.store(known["salt"], left)
        self.throttle_reset(commit=False)
        self.set_last_used_timestamp(commit=False)
        self.save()
        return True

    def _opened(self) -> dict[str, Any]:
        return dict(json.loads(opened(self.hashes, self.seal_owner)))


class Passkey(Enrolled, Device):
    """A WebAuthn credential: its public key, and how often its authenticator says that it signed."""

    credential_id = models.CharField(max_length=1400, unique=True, help_text="base64url, as the browser names it.")
    public_key = models.TextField()
    sign_count = models.BigIntegerField(default=0)
    synced = models.BooleanField(default=False, help_text="Its authenticator may copy it to other devices.")
    transports = models.JSONField(default=list)

    class Meta:
        ordering = ["created_at"]
        default_permissions = ()

    @property
    def cose_key(self) -> bytes:
        return opened(self.public_key, self.seal_owner)

    @property
    def seal_owner(self) -> str:
        return f"passkey {self.user_id} {self.credential_id}"
