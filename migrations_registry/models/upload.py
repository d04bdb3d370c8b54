"""Upload: the bytes of a file or archive until a worker has read them; the row then says what they were."""

from __future__ import annotations

import hashlib

from django.db import models
from django.db.models.functions import Now


class Upload(models.Model):
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64, editable=False)
    size_bytes = models.PositiveBigIntegerField()
    content = models.BinaryField(null=True, help_text="Let go when it was read, or a day after it came.")
    uploaded_at = models.DateTimeField(db_default=Now(), editable=False)
    uploaded_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["-uploaded_at"]

    def __str__(self) -> str:
        return f"{self.name}, {self.size_bytes:,} bytes"

    @property
    def data(self) -> bytes:
        return bytes(self.content or b"")

    @property
    def intact(self) -> bool:
        return hashlib.sha256(self.data).hexdigest() == self.sha256
