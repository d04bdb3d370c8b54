"""Two tokens and two DSNs, nothing else typed: the set-up shows everything and starts an export that ends proven."""

from __future__ import annotations

from io import StringIO

import pytest
import stamina
from django.core.management import call_command

from backups.models import ProviderBackup, Run
from deployments.models import Deployment, Service
from operations.models import Environment, Operation, SupabaseProject
from sandbox.refs import REFS
from tests.render_sandbox import running
from tests.supabase_platform import Platform
from tests.supabase_production import finished


@pytest.fixture
def fresh(transactional_db: None, settings, tmp_path, monkeypatch, platform: Platform, reused_drill):
    """A portal that nobody has touched; the sandboxes stand where the providers are."""
    settings.BACKUP_STORE = f"file://{tmp_path}/store"
    settings.SUPABASE_ACCESS_TOKEN, settings.SUPABASE_API_BASE = platform.api.world.token, platform.api.base
    for role in ("export", "restore"):
        monkeypatch.setenv(f"SAMPELIT_PRODUCTION_{role.upper()}_DSN", platform.dsn(role))
    with stamina.set_testing(True, attempts=2), running() as render:
        settings.RENDER_API_KEY, settings.RENDER_API_BASE = render.sandbox.api_key, render.sandbox.base
        yield


def setup(**options: object) -> str:
    out = StringIO()
    call_command("setup", stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def test_two_tokens_and_two_dsns_are_all_that_is_typed(fresh: None) -> None:
    output = setup(email="you@example.com", username="ada")
    operation = finished(Operation.objects.get(kind="backups.export"))
    again = setup()

    assert "/admin/account/welcome/" in output
    assert {
        environment.slug: environment.supabase_ref for environment in Environment.objects.filter(slug__in=REFS)
    } == REFS
    assert (Service.objects.count(), Deployment.objects.count() > 20) == (5, True)
    assert ProviderBackup.objects.filter(kind="daily").count() == 7
    assert SupabaseProject.objects.get(environment__slug="production").matched_by == "SUPABASE_URL of sampelit-api"
    assert (operation.status, operation.error) == ("succeeded", "")
    assert Run.objects.get().status == "proven"
    assert "done     Supabase of production: sampelit-production, Postgres 17" in again
    assert "the free plan has no backups" in again.lower()
    assert Operation.objects.filter(kind="backups.export").count() == 1
