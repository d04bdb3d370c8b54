"""SupabaseProject: the project behind an environment as Supabase last told it; facts only, no secret.

Optional facts (TLS, network, price) are None or empty where the token may not read them; `notes` then says why.
"""

from __future__ import annotations

from django.db import models

from operations.models.environment import Environment


class SupabaseProject(models.Model):
    environment = models.OneToOneField(Environment, on_delete=models.CASCADE, related_name="supabase_project")
    ref = models.CharField(max_length=40)
    matched_by = models.CharField(max_length=200, blank=True, help_text="How the project was found.")
    name = models.CharField(max_length=200, blank=True)
    organization = models.CharField(max_length=200, blank=True)
    plan = models.CharField(max_length=40, blank=True)
    region = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=40, blank=True, help_text="Supabase's own word.")
    version = models.CharField(max_length=60, blank=True)
    pooler_host = models.CharField(max_length=200, blank=True)
    pitr_enabled = models.BooleanField(null=True, blank=True)
    pitr_price = models.CharField(max_length=100, blank=True, help_text="In Supabase's words; empty: not bought.")
    ssl_enforced = models.BooleanField(null=True, blank=True)
    open_to_all = models.BooleanField(null=True, blank=True, help_text="No network restriction in force.")
    services = models.JSONField(default=list, help_text="Health of its services: name, status, error.")
    notes = models.JSONField(default=dict, help_text="What could not be read, and why.")
    seen_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    error_kind = models.CharField(max_length=40, blank=True)
    error_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["environment__slug"]
        default_permissions = ("view",)
        verbose_name = "Supabase project"

    def __str__(self) -> str:
        return f"{self.name or self.ref} ({self.environment})"

    @property
    def healthy(self) -> bool:
        return self.status == "ACTIVE_HEALTHY"

    @property
    def paused(self) -> bool:
        return self.status in ("INACTIVE", "PAUSING")

    @property
    def unhealthy_services(self) -> list[str]:
        """Names of the services that are not well, with the error where one was given."""
        bad = [service for service in self.services if service["status"] != "ACTIVE_HEALTHY"]
        return [f"{service['name']} ({service.get('error') or service['status']})" for service in bad]
