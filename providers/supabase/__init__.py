"""Supabase's Management API: thin typed calls that tolerate fields and statuses they do not know."""

from __future__ import annotations

from providers.supabase.client import SCOPES, Supabase
from providers.supabase.models import (
    Addon,
    Backup,
    Backups,
    MigrationRow,
    Organization,
    Project,
    RestorePoint,
    ServiceHealth,
)
from providers.supabase.projects import project_ref
from providers.supabase.records import Function, Lint, NetworkRestrictions, Pooler, Secret, SslEnforcement

__all__ = [
    "SCOPES",
    "Addon",
    "Backup",
    "Backups",
    "Function",
    "Lint",
    "MigrationRow",
    "NetworkRestrictions",
    "Organization",
    "Pooler",
    "Project",
    "RestorePoint",
    "Secret",
    "ServiceHealth",
    "SslEnforcement",
    "Supabase",
    "project_ref",
]
