"""What happens to a service, in Render's words as of November 2026; a word that is not here is kept and counted.

Out: the words that mean trouble with what to call it, those that end trouble, and all that are known.
"""

from __future__ import annotations

from providers.http.shapes import part
from providers.render.models import Event

ENDS_TROUBLE = frozenset({"server_available", "service_resumed", "server_restarted"})
DISK = "service_disk_usage_high"
ENDS_DISK = frozenset({"disk_updated", "disk_deleted", "disk_snapshot_restored"})
DISK_FULL = "Disk nearly full"
TROUBLE = frozenset({"server_failed", "server_hardware_failure", "image_pull_failed", "artifact_fetch_failed", DISK})
KNOWN = frozenset(
    (
        *ENDS_TROUBLE,
        *TROUBLE,
        *("artifact_source_changed", "auto_deploy_disabled", "auto_deploy_enabled", "autoscaling_config_changed"),
        *("autoscaling_ended", "autoscaling_started", "branch_deleted", "build_ended", "build_started"),
        *("commit_ignored", "cron_job_run_ended", "cron_job_run_started", "deploy_ended", "deploy_started"),
        *("disk_created", "disk_deleted", "disk_snapshot_restored", "disk_updated", "edge_cache_disabled"),
        *("edge_cache_enabled", "edge_cache_purged", "initial_deploy_hook_ended", "initial_deploy_hook_started"),
        *("instance_count_changed", "job_run_ended", "maintenance_ended", "maintenance_mode_enabled"),
        *("maintenance_mode_uri_updated", "maintenance_started", "pipeline_minutes_exhausted", "plan_changed"),
        *("pre_deploy_ended", "pre_deploy_started", "service_suspended", "suspender_added", "suspender_removed"),
        *("zero_downtime_redeploy_ended", "zero_downtime_redeploy_started"),
    )
)


def trouble_of(event: Event) -> str:
    """What to call it, in a few words; empty where it is no trouble. Out of memory first: it has a limit to raise."""
    if event.type not in TROUBLE:
        return ""
    reason = part(event.details.get("reason"))
    if event.type == DISK:
        return DISK_FULL
    if limit := part(reason.get("oomKilled")).get("memoryLimit"):
        return f"Out of memory ({limit})"[:60]
    if "nonZeroExit" in reason:
        return f"Crashed (exit {reason['nonZeroExit']})"[:60]
    if reason.get("evicted") is True:
        return "Evicted"
    return "Crashed" if event.type == "server_failed" else event.type.replace("_", " ").capitalize()
