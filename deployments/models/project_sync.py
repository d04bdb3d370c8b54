"""ProjectSync: per environment, whether Supabase's Management API answers about its functions and advisors."""

from __future__ import annotations

from django.db import models

from operations.models import Environment


class ProjectSync(models.Model):
    environment = models.OneToOneField(
        Environment, on_delete=models.CASCADE, primary_key=True, related_name="project_sync"
    )
    ok_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    error_kind = models.CharField(max_length=40, blank=True)
    error_since = models.DateTimeField(null=True, blank=True)
    again_at = models.DateTimeField(null=True, blank=True, help_text="Not asked before: Supabase said wait.")

    def __str__(self) -> str:
        return self.error or f"{self.environment} answers"
