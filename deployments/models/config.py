"""ConfigFingerprint: that a service has a variable or secret file, from where, and a keyed fingerprint of its content.

VariableGroup and GroupVariable: the same for Render's environment groups. No value is ever stored.
"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from deployments.models.service import Service


class Kind(models.TextChoices):
    VARIABLE = "variable", "Variable"
    FILE = "file", "Secret file"


class VariableGroup(models.Model):
    """An environment group of Render: its variables reach every service that it is linked to."""

    render_id = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    owner_id = models.CharField(max_length=80, blank=True)
    services = models.ManyToManyField(Service, through="GroupLink", related_name="groups", blank=True)
    created_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(db_default=Now())
    missing_since = models.DateTimeField(null=True, blank=True, help_text="First 404 for it; a second one removes it.")
    removed_at = models.DateTimeField(null=True, blank=True, help_text="Render no longer lists it.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class GroupLink(models.Model):
    """That a group reaches a service; Render tells it by a list only."""

    variablegroup = models.ForeignKey(VariableGroup, on_delete=models.CASCADE, related_name="links")
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="links")
    missing_since = models.DateTimeField(null=True, blank=True, help_text="First list without it; a second removes it.")

    class Meta:
        db_table = "deployments_variablegroup_services"
        unique_together = [("variablegroup", "service")]
        default_permissions = ()

    def __str__(self) -> str:
        return f"the link of {self.variablegroup.name} to {self.service.name}"


class GroupVariable(models.Model):
    group = models.ForeignKey(VariableGroup, on_delete=models.CASCADE, related_name="variables")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.VARIABLE)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64, help_text="HMAC-SHA256 of the value; comparable, not reversible.")
    changed_at = models.DateTimeField(db_default=Now())
    missing_since = models.DateTimeField(null=True, blank=True, help_text="First 404 for it; a second one removes it.")

    class Meta:
        ordering = ["kind", "key"]
        constraints = [
            models.UniqueConstraint(fields=["group", "kind", "key"], name="group_variable_once"),
            models.CheckConstraint(name="group_variable_kind_known", condition=models.Q(kind__in=Kind.values)),
        ]

    def __str__(self) -> str:
        return f"{self.group.name} {self.key}"


class ConfigFingerprint(models.Model):
    """What a service itself sets; what reaches it through groups is a GroupVariable."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="variables")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.VARIABLE)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64, help_text="HMAC-SHA256 of the value; comparable, not reversible.")
    changed_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    missing_since = models.DateTimeField(null=True, blank=True, help_text="First 404 for it; a second one removes it.")

    class Meta:
        ordering = ["key"]
        constraints = [
            models.UniqueConstraint(fields=["service", "kind", "key"], name="fingerprint_once"),
            models.CheckConstraint(name="fingerprint_kind_known", condition=models.Q(kind__in=Kind.values)),
        ]

    def __str__(self) -> str:
        return f"{self.service.name} {self.key}"
