"""Ledger entries of this app as sentences for the timeline."""

from __future__ import annotations

import json
from typing import Any

from ledger.models import Entry
from ledger.registry import sentence


def register() -> None:
    """Importing this module registers; the call makes the import visible."""


def _data(entry: Entry) -> dict[str, Any]:
    return json.loads(entry.data) if isinstance(entry.data, str) else dict(entry.data)


def _what(data: dict[str, Any]) -> str:
    title = f" “{data['title']}”" if data.get("title") else ""
    return f"{data['service']} {data['commit'][:7]}{title}"


@sentence("deployments.started")
def started(entry: Entry) -> str:
    data = _data(entry)
    return f"{'Rollback' if data['trigger'] == 'rollback' else 'Deployment'} of {_what(data)} started"


@sentence("deployments.live")
def live(entry: Entry) -> str:
    data = _data(entry)
    took = f", in {data['seconds']} s" if data.get("seconds") is not None else ""
    return f"{'Rolled back to' if data['trigger'] == 'rollback' else 'Live:'} {_what(data)}{took}"


@sentence("deployments.failed")
def failed(entry: Entry) -> str:
    data = _data(entry)
    return f"Deployment of {_what(data)} failed: {data['status'].replace('_', ' ')}; what was live stays live"


@sentence("deployments.canceled")
def canceled(entry: Entry) -> str:
    return f"Deployment of {_what(_data(entry))} was cancelled"


@sentence("deployments.history_read")
def history_read(entry: Entry) -> str:
    data = _data(entry)
    return f"Read the history of {data['service']}: {data['deploys']} deployments"


@sentence("deployments.settings_changed")
def settings_changed(entry: Entry) -> str:
    data = _data(entry)
    pieces = [f"{key.replace('_', ' ')} {old} → {new}" for key, (old, new) in data["changed"].items()]
    return f"Settings of {data['service']} changed: {', '.join(pieces)}"


@sentence("deployments.service_removed")
def service_removed(entry: Entry) -> str:
    return f"{_data(entry)['service']} is gone from Render; what was recorded of it is kept"


@sentence("deployments.service_back")
def service_back(entry: Entry) -> str:
    return f"{_data(entry)['service']} is back at Render"


@sentence("deployments.healthy")
def healthy(entry: Entry) -> str:
    data = _data(entry)
    return f"{data['service']} is healthy again ({data['detail']})"


@sentence("deployments.unhealthy")
def unhealthy(entry: Entry) -> str:
    data = _data(entry)
    return f"{data['service']} is not healthy: {data['detail']}"


@sentence("deployments.blueprint_read")
def blueprint_read(entry: Entry) -> str:
    data = _data(entry)
    where = f"at {data['commit'][:7]}" if data["commit"] else "given by hand"
    return f"Read {entry.subject} ({where}, {data['services']} services)"


@sentence("deployments.maintenance_lifted")
def maintenance_lifted(entry: Entry) -> str:
    return f"The watchdog lifted maintenance mode of {_data(entry)['service']}"


@sentence("deployments.bundle_kept")
def bundle_kept(entry: Entry) -> str:
    data = _data(entry)
    return f"Kept a bundle of {data['function']}: {data['files']} files, {data['sha256'][:12]}"


@sentence("deployments.bundle_removed")
def bundle_removed(entry: Entry) -> str:
    data = _data(entry)
    since = f"{data['bytes']} bytes, kept since {data['kept_at'][:10]}"
    return f"Let the bundle {data['sha256'][:12]} of {data['function']} go ({since})"


@sentence("deployments.function_live")
def function_live(entry: Entry) -> str:
    data = _data(entry)
    return f"Edge function {data['function']} runs version {data['version']}; its bundle {data['sha256'][:12]} is kept"


@sentence("deployments.function_removed")
def function_removed(entry: Entry) -> str:
    return f"Edge function {_data(entry)['function']} is gone from Supabase; its bundles stay here"


@sentence("deployments.findings_changed")
def findings_changed(entry: Entry) -> str:
    data = _data(entry)
    said = [f"{word} {', '.join(data[word])}" for word in ("opened", "resolved") if data[word]]
    return f"Supabase's advisors: {'; '.join(said)}"


@sentence("deployments.finding_ignored")
def finding_ignored(entry: Entry) -> str:
    data = _data(entry)
    return f"Advisor finding {data['finding']} ignored: {data['reason']}"


@sentence("deployments.finding_reopened")
def finding_reopened(entry: Entry) -> str:
    return f"Advisor finding {_data(entry)['finding']} counts again"
