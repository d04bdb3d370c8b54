"""What each kind of request can be asked about, beside `factories.world()`, and what a person types.

In: the world. Out: rows as the last looks outside would have left them; nothing here reaches a provider.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from backups.models import Hold, Restore, Run
from deployments import network, workspace
from deployments.models import Deployment, FunctionBundle, Service
from migrations_registry.models import StreamBaseline
from operations.engine.kinds import OperationKind
from operations.engine.specs import Parameter
from operations.models import Environment, Heartbeat, SupabaseProject
from tests.migrations_registry.applying import add
from tests.migrations_registry.backfill.conftest import FILL

NOW = timezone.now()
LATER, BEFORE = f"{NOW + timedelta(days=3):%Y-%m-%dT%H:%M:%SZ}", f"{NOW - timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ}"
VERSION = "20260102000000"
ELSEWHERE = {"backups.provider_resume": "staging", "environments.add": "portal"}
ON_A_DATABASE = {f"migrations.{name}": f"shop-{name}" for name in ("backfill", "baseline", "mark")}  # of a database
# What is not named here is the first that the form offers.
TYPED: dict[str, dict[str, str]] = {
    "backups.evidence": {"from": "2026-03-01", "to": "2026-04-01"},
    "backups.provider_pitr": {"at": BEFORE},
    "backups.trace_decision": {"experiment": "3f0e5a52-7c5e-4a53-9d3e-0b8f5a6c1000", "sequence": "17"},
    "deployments.delete_group_variable": {"key": "MAIL_FROM"},
    "deployments.delete_secret_file": {"name": "gcp.json"},
    "deployments.delete_variable": {"key": "SENTRY_DSN"},
    "deployments.function_delete": {"typed": "capture-lead"},
    "deployments.function_deploy": {"function": "capture-lead"},
    "deployments.function_rollback": {"version": "1"},
    "deployments.function_secret_set": {"name": "MAIL_KEY"},
    "deployments.health_path": {"path": "/health"},
    "deployments.job": {"command": "python -m sampelit.recount"},
    "deployments.keep_preview": {"until": LATER[:10]},
    "deployments.link_group": {"service": "srv-4"},
    "deployments.move_route": {"source": "/old/*", "priority": "0"},
    "deployments.recover_database": {"at": BEFORE, "name": "ops-db-again"},
    "deployments.reschedule_maintenance": {"at": LATER},
    "deployments.scale": {"instances": "3"},
    "deployments.set_group_variable": {"key": "MAIL_FROM"},
    "deployments.set_secret_file": {"name": "gcp.json"},
    "deployments.set_variable": {"key": "MAIL_FROM"},
    "deployments.source": {"branch": "release"},
    "deployments.verify_domain": {"domain": "app.example.com"},
    "environments.add": {"slug": "blue", "name": "Blue"},
    "environments.change": {"name": "Production of Sampelit"},
    "environments.rebind": {"database": "7300000000000000001/16384/postgres"},
    "migrations.baseline": {"stream": "supabase", "as_not_applied": f"{VERSION}_fill_cents.sql"},
    "migrations.change_rules": {"gate": "refuse"},
    "migrations.mark": {"versions": VERSION},
    "migrations.register": {"repository": "https://git.example/sampelit"},
    **{f"rehearsal.{name}": {"key": "k"} for name in ("routine", "sensitive", "destructive", "urgent")},
}


def rows(production: Environment) -> None:
    """Everything that a form of production offers, and the shops, whose database has the table of `FILL`."""
    production.refresh_from_db()
    _at_render(production)
    _at_supabase(production)
    run = Run.objects.filter(policy__environment=production, purging_at=None).latest("pk")
    Hold.objects.filter(incident__isnull=False).update(
        released_at=timezone.now(), released_by="ana", release_reason="It was looked into."
    )
    Hold.objects.create(run=run, placed_by="ana", reason="A customer's lawyer asked for it.")
    Restore.objects.filter(target="scratch").update(report={"database": "scratch_of_ana"}, ended_at=NOW)
    Environment.objects.portal()
    Environment.objects.filter(pk=production.pk).update(
        system_identifier="7200000000000000001", database_oid=5, database_name="postgres"
    )
    for slug in ON_A_DATABASE.values():
        shop = Environment.objects.create(slug=slug, name=slug, kind="staging")
        StreamBaseline.objects.create(environment=shop, stream="supabase", operation="0" * 26, made_by="operator")
    (file,) = add((f"supabase/migrations/{VERSION}_fill_cents.sql", FILL))
    TYPED["migrations.backfill"] = {"file": file.sha256}
    TYPED["deployments.function_deploy"]["bundle"] = FunctionBundle.objects.filter(kind="files")[0].sha256


def _at_render(production: Environment) -> None:
    """A cron job, a site, a worker, a deploy on its way; a database with planned maintenance, an address outside."""
    of_ours = {"environment": production, "owner_id": "tea-1", "history_complete": True}
    for render_id, name, kind in (
        ("crn-1", "sampelit-nightly", "cron_job"),
        ("srv-3", "sampelit-site", "static_site"),
        ("srv-4", "sampelit-worker", "background_worker"),
    ):
        Service.objects.create(render_id=render_id, name=name, type=kind, **of_ours)
    Service.objects.filter(render_id="srv-1").update(owner_id="tea-1")
    building = {"status": "build_in_progress", "provider_status": "build_in_progress"}
    api = Service.objects.get(render_id="srv-1")
    Deployment.objects.create(service=api, render_id="dep-9", commit_sha="b" * 40, created_at=NOW, **building)
    seen = {
        "databases": [{"id": "dpg-1", "name": "sampelit-ops-db", "plan": "basic_256mb"}],
        "maintenance": [{"id": "mrn-1", "type": "upgrade", "resource": "dpg-1", "at": LATER, "latest": ""}],
        "addresses": {"srv-1": ["203.0.113.7"]},
        "environments": {"srv-4": "Staging"},
    }
    Heartbeat.objects.keep(workspace.KEPT, seen)


def _at_supabase(production: Environment) -> None:
    """A full database that shuts an address out and leaves Render's outside; staging's project is paused."""
    seen = {"allowed": ["198.51.100.0/24"], "banned": ["192.0.2.9"], "read_only": True}
    Heartbeat.objects.keep(network._name(production), seen)
    SupabaseProject.objects.filter(environment__slug="staging").update(status="INACTIVE")


def place_of(kind: OperationKind) -> Environment:
    slugs = ELSEWHERE | ON_A_DATABASE
    return Environment.objects.get(slug=slugs.get(kind.name, "production"))


def values_of(kind: OperationKind, environment: Environment) -> dict[str, str]:
    """What a person chooses and types; secrets are typed on the second page."""
    typed = TYPED.get(kind.name, {})
    asked = [each for each in kind.parameters if not (each.secret or each.worked_out)]
    return {each.name: value for each in asked if (value := typed.get(each.name) or _first(each, environment))}


def _first(parameter: Parameter, environment: Environment) -> str:
    offers = parameter.choices or parameter.suggestions
    offered = [value for value, _ in offers(environment) if value] if offers and parameter.required else []
    return offered[0] if offered else ""
