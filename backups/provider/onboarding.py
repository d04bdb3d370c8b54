"""The backups' part of set-up: policies for every environment, and what one Supabase token tells of its project."""

from __future__ import annotations

from collections.abc import Iterator

from backups.models import Policy, ProviderBackup, Run
from backups.policies.defaults import AUDIT_TRAIL, ensure_policies
from backups.policies.scheduler import request_export
from backups.provider.assessment import judge
from backups.provider.sync import sync
from operations import onboarding
from operations.dsns import known_dsn
from operations.models import Environment, Operation, SupabaseProject
from operations.onboarding import Step
from operations.supabase_projects import configured, known_projects, remember_projects, supabase
from providers.errors import ProviderError, Refused
from providers.supabase import SCOPES

NEXT = f"Create a token in Supabase (Account, Access Tokens; scopes: {SCOPES}) and set SUPABASE_ACCESS_TOKEN."


def _environments() -> list[Environment]:
    return list(Environment.objects.filter(kind__in=["production", "staging"]))


def discover() -> list[str]:
    """Policies where there are none; then every project of the token. Raises ProviderError where it is refused."""
    for environment in _environments():
        ensure_policies(environment)
    lines = ["export policies audit-trail and whole-database are in place"] if Policy.objects.exists() else []
    lines += [line for environment in _environments() if (line := first_export(environment))]
    if not configured():
        return lines
    api = supabase(deadline=30.0)
    projects = remember_projects(api)
    lines.append(f"{len(projects)} Supabase projects seen by the token")
    for environment in _environments():
        if environment.supabase_ref:
            lines.append(_read(environment, api))
    return lines


def first_export(environment: Environment) -> str:
    """Where production was never exported and can be read, the first export starts now and not at its next slot."""
    policy = Policy.objects.filter(environment=environment, name=AUDIT_TRAIL, enabled=True).exclude(cron="").first()
    if policy is None or Run.objects.filter(policy=policy).exists() or not known_dsn(environment, "export"):
        return ""
    if Operation.objects.filter(kind="backups.export", environment=environment).exists():
        return ""
    try:
        operation = request_export(policy, "first export, asked by set-up")
    except Refused as refusal:
        return f"{environment}: not exported yet. {refusal.reason}"
    return f"{environment}: first export of {policy.name} is {operation.status}; watch it as operation {operation.pk}"


def _read(environment: Environment, api: object) -> str:
    try:
        row = sync(environment, api)  # type: ignore[arg-type]
    except ProviderError as error:
        return f"{environment}: {error.message}"
    return f"{environment}: {_facts(row)}. {_verdict(row)}"


def _facts(row: SupabaseProject) -> str:
    parts = [row.name or row.ref, f"Postgres {row.version}", f"{row.plan or 'unknown'} plan", row.status]
    return ", ".join([*parts, f"pooler {row.pooler_host}:5432"] if row.pooler_host else parts)


def _verdict(row: SupabaseProject) -> str:
    backups = list(ProviderBackup.objects.listed().filter(environment=row.environment, ref=row.ref))
    return judge(row, backups).sentence


def steps() -> Iterator[Step]:
    if not configured():
        yield Step("Supabase token", "warn", "SUPABASE_ACCESS_TOKEN is not set", NEXT)
        return
    seen = known_projects()
    yield Step(
        "Supabase token",
        "ok" if seen else "warn",
        f"{len(seen)} projects seen" if seen else "not used yet",
        "" if seen else "Read from Supabase.",
    )
    rows = {row.environment_id: row for row in SupabaseProject.objects.select_related("environment")}
    backups: dict[int, list[ProviderBackup]] = {}
    for backup in ProviderBackup.objects.listed():
        backups.setdefault(backup.environment_id, []).append(backup)
    for environment in _environments():
        yield _project(environment, rows.get(environment.pk), backups.get(environment.pk, []))


def _project(environment: Environment, row: SupabaseProject | None, backups: list[ProviderBackup]) -> Step:
    title = f"Supabase of {environment}"
    if not environment.supabase_ref:
        return Step(
            title, "warn", "no project linked", f"Choose it below, or sampelit-ops setup --supabase {environment}=REF."
        )
    if row is None or row.seen_at is None:
        return Step(title, "warn", f"{environment.supabase_ref}, not read yet", "Read from Supabase.")
    verdict = judge(row, backups)
    todo = verdict.sentence if verdict.tone != "ok" else ""
    return Step(title, verdict.tone, f"{_facts(row)} ({row.matched_by or 'chosen by a person'})", todo)


def register() -> None:
    onboarding.register(50, "supabase", steps, discover)
