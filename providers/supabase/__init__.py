"""Supabase's Management API: thin typed calls that tolerate fields and statuses they do not know."""

from __future__ import annotations

from providers.supabase.client import SCOPES, Supabase
from providers.supabase.models import Addon, Backups, RestorePoint, ServiceHealth
from providers.supabase.projects import project_ref
from providers.supabase.records import Function, Lint, Secret
