"""StoreReport: what a store could do when it was last probed. One row per store URL; the newest answer wins."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now


class StoreReport(models.Model):
    url = models.CharField(max_length=500, unique=True)
    checked_at = models.DateTimeField(db_default=Now())
    usable = models.BooleanField(default=False, help_text="Everything that the commit protocol needs was seen.")
    findings = models.JSONField(default=list, help_text="[{name, tone, found, why, fix}] in the order of the probe.")

    class Meta:
        ordering = ["url"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.url

    def finding(self, name: str) -> dict[str, Any] | None:
        return next((item for item in self.findings if item["name"] == name), None)
