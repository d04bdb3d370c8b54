"""What the timeline says about deployments: one template for each action code."""

from __future__ import annotations

from ledger import registry

SENTENCES = {
    "deployments.started": "{act} of {release} started",
    "deployments.live": "{now} {release}{took}",
    "deployments.failed": "Deployment of {release} failed: {ending}; what was live stays live",
    "deployments.canceled": "Deployment of {release} was cancelled",
    "deployments.odd_order": "Render changed its word about {release}: it had been {before}, now it is {status}",
    "deployments.another_content": "Render names other content for {release}: it had been {before}",
    "deployments.deploy_gone": "Render no longer knows {release}; what was recorded of it is kept",
    "deployments.history_read": "Read the history of {service}: {deploys} deployments",
    "deployments.settings_changed": "Settings of {service} changed: {settings}",
    "deployments.service_removed": "{service} is gone from Render; what was recorded of it is kept",
    "deployments.runs_portal": "{service} holds secrets of this portal: no verb acts on it any more",
    "deployments.service_back": "{service} is back at Render",
    "deployments.healthy": "{service} is healthy again ({detail})",
    "deployments.unhealthy": "{service} is not healthy: {detail}",
    "deployments.blueprint_read": "Read {subject} ({origin}, {services:service})",
    "deployments.maintenance_lifted": "The watchdog lifted maintenance mode of {service}",
    "deployments.bundle_kept": "Kept a bundle of {function}: {files:file}, {sha256:.12}",
    "deployments.bundle_removed": (
        "Let the bundle {sha256:.12} of {function} go ({bytes} bytes, kept since {kept_at:.10})"
    ),
    "deployments.function_live": ("Edge function {function} runs version {version}; its bundle {sha256:.12} is kept"),
    "deployments.gone": "{actor} no longer has {names}",
    "deployments.back": "{actor} has {names} again",
    "deployments.function_removed": "Edge function {function} is gone from Supabase; its bundles stay here",
    "deployments.findings_changed": "Supabase's advisors: {changes}",
    "deployments.finding_ignored": "Advisor finding {finding} ignored: {reason}",
    "deployments.finding_reopened": "Advisor finding {finding} counts again",
}


def register() -> None:
    registry.sentences(SENTENCES, PHRASES)


def _release(facts: registry.Facts) -> str:
    title = f" “{facts['title']}”" if facts.get("title") else ""
    return f"{facts['service']} {facts['commit'][:7] or facts['deploy']}{title}"


def _took(facts: registry.Facts) -> str:
    return f", in {facts['seconds']} s" if facts.get("seconds") is not None else ""


def _settings(facts: registry.Facts) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {old} → {new}" for key, (old, new) in facts["changed"].items())


def _changes(facts: registry.Facts) -> str:
    return "; ".join(f"{word} {', '.join(facts[word])}" for word in ("opened", "resolved") if facts[word])


PHRASES = {
    "act": lambda facts: "Rollback" if facts["trigger"] == "rollback" else "Deployment",
    "now": lambda facts: "Rolled back to" if facts["trigger"] == "rollback" else "Live:",
    "release": _release,
    "took": _took,
    "ending": lambda facts: facts["status"].replace("_", " "),
    "settings": _settings,
    "origin": lambda facts: f"at {facts['commit'][:7]}" if facts["commit"] else "given by hand",
    "changes": _changes,
}
