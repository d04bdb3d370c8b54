"""Rows of Supabase's edge functions, kept bundles, secret names and findings for pages and browsers."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from deployments.functions.bundles import keep_eszip, keep_files
from deployments.models import AdvisorFinding, EdgeFunction, EdgeSecret, FunctionVersion, ProjectSync
from operations.models import Environment


def functions(production: Environment) -> None:
    """A healthy function with two kept versions, a throttled one, a secret, a finding in each state."""
    now = timezone.now()
    row = EdgeFunction.objects.create(
        environment=production,
        slug="capture-lead",
        provider_id="f-1",
        status="ACTIVE",
        version=2,
        requests=412,
        server_errors=0,
        entrypoint="index.ts",
        provider_sha256="5c0e9aa1" * 8,
        updated_at=now - timedelta(hours=3),
    )
    EdgeFunction.objects.create(
        environment=production,
        slug="weekly-mail",
        status="THROTTLED",
        version=7,
        verify_jwt=False,
        requests=40,
        server_errors=12,
        updated_at=now - timedelta(days=9),
    )
    source = keep_files(row.slug, {"index.ts": b"Deno.serve()", "lib/lead.ts": b"export {}"}, "operator")
    for number in (1, 2):
        FunctionVersion.objects.create(
            function=row,
            version=number,
            provider_sha256="5c0e9aa1" * 8,
            entrypoint="index.ts",
            source=source,
            bundle=keep_eszip(row.slug, b"ESZIP%d" % number),
            actor="operator",
            live_at=now - timedelta(days=3 - number),
        )
    EdgeSecret.objects.create(environment=production, name="MAIL_KEY", updated_at=now)
    ProjectSync.objects.create(environment=production, ok_at=now)
    for status, level, advisor in (
        ("open", "ERROR", "security"),
        ("resolved", "INFO", "performance"),
        ("ignored", "WARN", "security"),
    ):
        AdvisorFinding.objects.create(
            environment=production,
            advisor=advisor,
            name="rls_disabled_in_public",
            title="RLS disabled in public",
            level=level,
            detail="Table `public.leads` is public, but RLS is off.",
            cache_key=f"rls-{status}",
            remediation="https://supabase.com/docs/guides/database/database-linter",
            status=status,
            resolved_at=now if status == "resolved" else None,
            ignored_by="operator" if status == "ignored" else "",
            ignored_at=now if status == "ignored" else None,
            reason="Public on purpose." if status == "ignored" else "",
        )
