"""Render's public API: thin typed calls that tolerate fields and statuses they do not know (api-docs.render.com)."""

from __future__ import annotations

from providers.render.client import Render
from providers.render.groups import EnvGroup, SecretFile
from providers.render.models import Deploy, Event, Service
from providers.render.records import EnvVar, Job, Series, Webhook
from providers.render.services import Services
