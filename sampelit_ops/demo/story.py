"""What the demo's portal knows at its first start: environments, policies and one export that is really proven."""

from __future__ import annotations

import os
from pathlib import Path

from django.contrib.auth.models import User

from operations.accounts import SYSTEM
from operations.models import Environment
from sampelit_ops.demo import history, migrations
from sampelit_ops.demo.users import place_demo_users

BLUEPRINT = Path(__file__).with_name("render.yaml")


def seed() -> None:
    """Create what is missing; a second start changes nothing but the sandbox's new addresses."""
    production = _environment("production", "production", os.environ.get("SANDBOX_HEALTH_URL", ""), protected=True)
    staging = _environment("staging", "staging", os.environ.get("SANDBOX_STAGING_HEALTH_URL", ""), protected=False)
    place_demo_users()
    from backups.policies.defaults import ensure_policies

    for environment in (production, staging):
        ensure_policies(environment)
    _link_projects([production, staging])
    migrations.register()
    _read_blueprint(production)
    history.seed_history()


def _link_projects(environments: list[Environment]) -> None:
    """Each environment to the sandbox's project of its name; a real set-up reads the ref from SUPABASE_URL."""
    from operations.supabase_projects import configured, link, quick, remember_projects

    if not configured():
        return
    refs = {project["name"]: project["ref"] for project in remember_projects(quick())}
    for environment in environments:
        if not environment.supabase_ref and (ref := refs.get(f"sampelit-{environment.slug}")):
            link(environment, ref, by=SYSTEM, how="the demo's sandbox")


def _read_blueprint(environment: Environment) -> None:
    """The demo's render.yaml, once, so that the environment's page has something to compare."""
    from deployments.blueprint.service import SourceFile, store_blueprint
    from deployments.models import BlueprintFile

    if not BlueprintFile.objects.filter(environment=environment).exists():
        store_blueprint(environment, SourceFile(BLUEPRINT.read_bytes()), by=User.objects.get(username="operator"))


def _environment(slug: str, kind: str, health_url: str, protected: bool) -> Environment:
    defaults = {"name": slug.title(), "kind": kind, "protected": protected}
    environment, _ = Environment.objects.get_or_create(slug=slug, defaults=defaults)
    Environment.objects.filter(pk=environment.pk).update(health_url=health_url)
    return environment


def prove_audit_trail() -> str:
    """Ask for the export as the operator and wait for its end; what happened, in one line."""
    from backups.models import Run
    from operations.cli import wait_for_end
    from operations.engine.request import request

    environment = Environment.objects.get(slug="production")
    proven = Run.objects.filter(policy__environment=environment, status="proven", operation__seeded=False).first()
    if proven is not None:
        return f"a proven export of the audit trail exists: {proven.pk}"
    operation = request(
        "backups.export",
        by=User.objects.get(username="operator"),
        environment=environment,
        parameters={"policy": "audit-trail"},
        reason="first start of the demo",
        channel="demo",
    )
    ended = wait_for_end(operation.pk, seconds=120)
    if ended is None:
        reasons = operation.steps.exclude(error="").values_list("error", flat=True)
        return f"the export {operation.pk} has not ended yet: {reasons.first() or 'nothing has failed'}"
    if ended.status != "succeeded":
        return f"the export {operation.pk} is {ended.status}: {ended.error}"
    return f"audit trail of production exported and proven: run {ended.result.get('run')}"
