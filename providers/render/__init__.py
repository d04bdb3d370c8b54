"""Render's public API: thin typed calls that tolerate fields and statuses they do not know (api-docs.render.com)."""

from __future__ import annotations

from providers.render.client import Render
from providers.render.groups import EnvGroup, SecretFile
from providers.render.models import Commit, Deploy, Event, Instance, MaintenanceMode, Service
from providers.render.owners import Owner
from providers.render.records import Blueprint, BlueprintCheck, EnvVar, Job, LogLine, Series, Webhook, WebhookEvent

__all__ = [
    "Blueprint",
    "BlueprintCheck",
    "Commit",
    "Deploy",
    "EnvGroup",
    "EnvVar",
    "Event",
    "Instance",
    "Job",
    "LogLine",
    "MaintenanceMode",
    "Owner",
    "Render",
    "SecretFile",
    "Series",
    "Service",
    "Webhook",
    "WebhookEvent",
]
