"""Signed text that counts for so long by the database's clock: no machine's ages it, or lets an old one through."""

from __future__ import annotations

from datetime import timedelta

from django.core.signing import SignatureExpired, Signer, TimestampSigner, b62_decode, b62_encode

from operations.periodic.clock import database_time


class DatedSigner(TimestampSigner):
    def timestamp(self) -> str:
        return b62_encode(int(database_time().timestamp()))

    def unsign(self, value: str, max_age: float | timedelta | None = None) -> str:
        """The text. Raises BadSignature, also for one that is older than `max_age` (seconds) or of times to come."""
        text, _, signed_at = Signer.unsign(self, value).rpartition(self.sep)
        most = max_age.total_seconds() if isinstance(max_age, timedelta) else max_age
        age = database_time().timestamp() - b62_decode(signed_at)
        if most is not None and not -1 <= age <= most:
            raise SignatureExpired(f"It was signed {age:.0f} s ago, and counts for {most:.0f} s")
        return text
