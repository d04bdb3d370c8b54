"""RoleGrant: a role that a person holds on one environment only; a role held everywhere is a Django group.

MachineAccount: the mark of an account that is no person; the database lets nobody sign in as one.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models

from operations.models.environment import Environment


class RoleGrant(models.Model):
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="role_grants")
    role = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="grants")
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="role_grants")

    class Meta:
        ordering = ["role", "environment"]
        constraints = [models.UniqueConstraint(name="role_grant_once", fields=["person", "role", "environment"])]

    def __str__(self) -> str:
        return f"{self.role.name}@{self.environment.slug}"


class MachineAccount(models.Model):
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, related_name="machineaccount"
    )

    def __str__(self) -> str:
        return str(self.user)
