"""Rows of Supabase's side for pages and browsers: a linked project, its backups and window; a free one without any.

In: production and staging. Out: what the sync would have stored; nothing here reaches a provider.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from backups.models import ProviderBackup
from operations.models import Environment, Heartbeat, SupabaseProject
from operations.supabase_projects import PROJECTS

REFS = {"production": "sampelitproductionab", "staging": "sampelitstagingabcde"}


def projects(production: Environment) -> None:
    """Production on the Pro plan with a week of copies and a window; staging on the free plan with nothing."""
    now = timezone.now()
    for environment in (production, Environment.objects.get(slug="staging")):
        ref = REFS[environment.slug]
        Environment.objects.filter(pk=environment.pk).update(supabase_ref=ref)
        SupabaseProject.objects.create(
            environment=environment,
            ref=ref,
            name=f"sampelit-{environment}",
            organization="sampelit",
            plan="pro" if environment == production else "free",
            region="eu-west-3",
            status="ACTIVE_HEALTHY",
            version="17.6.1.084",
            pooler_host="aws-0-eu-west-3.pooler.supabase.com",
            matched_by="SUPABASE_URL of api",
            pitr_enabled=environment == production,
            pitr_price="$100/month",
            ssl_enforced=False,
            open_to_all=True,
            seen_at=now,
        )
    common = {"environment": production, "ref": REFS["production"]}
    for days in range(7):
        taken = now - timedelta(days=days, hours=3)
        status = "FAILED" if days == 4 else "COMPLETED"
        ProviderBackup.objects.create(
            kind="daily", external_id=str(1000 - days), taken_at=taken, status=status, **common
        )
    ProviderBackup.objects.create(
        kind="restore_point",
        external_id="pre-3fa9c1d2",
        taken_at=now - timedelta(hours=5),
        status="AVAILABLE",
        **common,
    )
    ProviderBackup.objects.create(
        kind="pitr_window",
        external_id="pitr",
        earliest_at=now - timedelta(days=7),
        latest_at=now,
        status="AVAILABLE",
        **common,
    )
    seen = [
        {"ref": ref, "name": f"sampelit-{slug}", "region": "eu-west-3", "status": "ACTIVE_HEALTHY"}
        for slug, ref in REFS.items()
    ]
    Heartbeat.objects.create(name=PROJECTS, beat_at=now, detail={"projects": seen})
