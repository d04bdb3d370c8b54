"""Render's services and deploys as rows, what our probes saw, what its webhooks said, and fingerprints of variables."""

from deployments.models.config import ConfigFingerprint
from deployments.models.delivery import WebhookDelivery
from deployments.models.deployment import Deployment
from deployments.models.health import HealthCheck
from deployments.models.service import Service
from deployments.models.sync_state import SyncState

__all__ = ["ConfigFingerprint", "Deployment", "HealthCheck", "Service", "SyncState", "WebhookDelivery"]
