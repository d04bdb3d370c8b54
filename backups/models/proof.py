"""Proof: what one restore drill of a run found, as it also lies beside the run in the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models.functions import Now

from backups.models.run import Run
from operations.models import Operation


def reason_of(document: Mapping[str, Any]) -> str:
    """Why a run with this proof is not proven, or is so in part; empty for one that is proven whole."""
    amber = [text[:1].upper() + text[1:] for text in document.get("amber", [])]  # older proofs have none
    part = ["Could not be checked here:", *amber] if amber else []
    return " ".join([*document["problems"], *document["doubts"], *part])


class Proof(models.Model):
    class Status(models.TextChoices):
        PROVEN = "proven", "Proven"
        SUSPECT = "suspect", "Suspect"
        FAILED = "failed", "Failed"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="proofs")
    operation = models.ForeignKey(Operation, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=8, choices=Status)
    document = models.JSONField(help_text="The proof as stored beside the run.")
    evidence = models.JSONField(default=dict, help_text="Where its facts lie in the store, and their SHA-256.")
    seconds = models.FloatField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-created_at"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["run", "operation"], name="proof_once_per_operation"),
            models.CheckConstraint(
                name="proof_status_known", condition=models.Q(status__in=["proven", "suspect", "failed"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run}: {self.status}"

    @property
    def problems(self) -> list[str]:
        return [*self.document.get("problems", []), *self.document.get("doubts", [])]

    @property
    def word(self) -> str:
        """Its status, apart where not all of it could be checked."""
        return "proven_in_part" if self.in_part else self.status

    @property
    def in_part(self) -> list[str]:
        """Why what was proven is proven in part."""
        return list(self.document.get("amber", [])) if self.status == self.Status.PROVEN else []

    @property
    def declared(self) -> list[str]:
        """What a drill cannot rebuild by its nature; makes no proof amber."""
        return [text for text in self.document.get("missing", []) if text not in self.in_part]
