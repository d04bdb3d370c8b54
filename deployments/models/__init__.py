"""Render's services and deploys as rows, what our probes saw, what its webhooks said, and fingerprints of variables;
Supabase's edge functions, their kept bundles and its advisors' findings."""

from deployments.models.advisor import AdvisorFinding
from deployments.models.blueprint import BlueprintFile
from deployments.models.config import ConfigFingerprint, GroupLink, GroupVariable, VariableGroup
from deployments.models.delivery import WebhookDelivery
from deployments.models.deployment import Deployment
from deployments.models.function import EdgeFunction, EdgeSecret, FunctionBundle, FunctionVersion
from deployments.models.health import HealthCheck
from deployments.models.project_sync import ProjectSync
from deployments.models.service import Service
from deployments.models.sync_state import SyncState
