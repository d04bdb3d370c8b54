"""Set-up: from one Render key to services, environments, history, health and a webhook; each step says what is next.

`steps()` only reads this portal; `discover_everything()` asks Render, then what other apps registered (Supabase).
Both are used by page and command.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from deployments.models import Deployment, Service, SyncState
from deployments.render.client import configured, render
from deployments.render.sync import poll
from deployments.render.webhook_coverage import Coverage, address, coverage, webhooks_of_workspaces
from deployments.render.webhooks import secrets
from deployments.supabase_link import link_projects
from deployments.variables.fingerprints import refresh, refresh_groups
from operations import doctor, onboarding
from operations.dsns import known_dsn
from operations.engine import tick
from operations.models import Environment
from operations.onboarding import Step
from providers.errors import ProviderError, Refused
from providers.render import Render


def discover(progress: Callable[[str, int], None] = lambda name, count: None) -> list[str]:
    """Read everything, fingerprint variables, create the webhook where the plan allows. Raises ProviderError."""
    api = render(deadline=120.0)
    report = poll(client=api, progress=progress)
    lines = [f"{report.services} services, {report.created} new deployments"]
    for service in Service.objects.filter(removed_at=None):
        refresh(api, service)
    groups = refresh_groups(api)
    lines.append(f"variables and {groups} groups read by name and fingerprint; no value was stored")
    lines += link_projects(api)
    lines.append(ensure_webhook(api))
    return lines


def ensure_webhook(api: Render) -> str:
    """Create our webhook in every workspace without one; a plan without webhooks is an answer, not an error."""
    if not settings.OPS_BASE_URL.startswith("https://") and not settings.DEMO:
        return "no webhook: OPS_BASE_URL is not https; polling works without it"
    found = coverage(api)
    tick.hasten("deployments.reconcile")
    told = [(f"{one.name}: " if len(found) > 1 else "") + _ensured(api, one) for one in found]
    return "; ".join(told) or "no webhook: no service yet"


def _ensured(api: Render, found: Coverage) -> str:
    if found.hook is not None:
        return f"the webhook exists, but {found.lacks}" if found.lacks else "the webhook exists"
    try:
        if found.error is not None:
            raise found.error
        made = api.webhooks.create(found.owner, address(), "Sampelit Ops")
    except ProviderError as error:
        return f"no webhook ({error.message}) Polling sees every change within a minute without it."
    if made.secret and made.secret in secrets():
        return "webhook created; its secret is the configured one"
    also = ", behind those of the other workspaces, with a comma" if secrets() else ""
    return f"webhook created; copy its secret from Render's webhook page into RENDER_WEBHOOK_SECRET{also}"


def environments() -> list[Environment]:
    """The product's, previews apart."""
    return list(Environment.objects.of_the_product().exclude(kind=Environment.Kind.PREVIEW))


def steps(product: list[Environment]) -> list[Step]:
    """Where the set-up stands."""
    known = list(Service.objects.filter(removed_at=None).select_related("environment"))
    ours = [_key(), _services(known), _health(known), _history(known), _webhook()]
    return [*ours, *onboarding.steps(), *_databases(product), _store()]


def _key() -> Step:
    state = SyncState.objects.filter(pk=1).first()
    if not configured():
        todo = (
            "Create a key in Render (Account settings, API keys) and set RENDER_API_KEY on every service of the portal."
        )
        return Step("Render key", "bad", "RENDER_API_KEY is not set", todo)
    if state and state.error:
        return Step("Render key", "bad", state.error, "Correct it, then read again.")
    if state is None:
        return Step("Render key", "warn", "not used yet", "Read from Render.")
    told = next((check for check in doctor.run(only="render") if check.name == "Render"), None)
    if told is not None and told.tone != "ok":  # of an hour ago
        return Step("Render key", told.tone, told.found, "Start a worker: it reads Render every half minute.")
    return Step("Render key", "ok", "Render answers")


def _services(services: list[Service]) -> Step:
    groups: dict[str, list[str]] = {}
    for service in services:
        groups.setdefault(service.environment.slug if service.environment else "none", []).append(service.name)
    if not groups:
        return Step("Services and environments", "warn", "none known", "Read from Render.")
    return Step("Services and environments", "ok", "; ".join(f"{k}: {_few(v)}" for k, v in sorted(groups.items())))


def _few(names: list[str]) -> str:
    """The first five; the list of services has the others."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _health(services: list[Service]) -> Step:
    web = [service for service in services if service.is_web]
    without = [service.name for service in web if not service.health_check_path]
    if without:
        todo = "Request deployments.health_path for each, with /health for Sampelit."
        return Step("Health", "warn", f"no health path: {_few(without)}", todo)
    return Step("Health", "ok" if web else "warn", f"{len(web)} web services are probed by status and body")


def _history(services: list[Service]) -> Step:
    open_ones = sum(not service.history_complete for service in services)
    count = f"{Deployment.objects.count()} deployments"
    if open_ones:
        return Step("History", "warn", f"{count}; {open_ones} services not read to the end", "Read from Render.")
    return Step("History", "ok", count)


def _webhook() -> Step:
    if secrets():
        lacking = [f"{check.name}: {check.found}" for check in webhooks_of_workspaces(None) if check.tone == "warn"]
        if lacking:
            return Step("Webhook", "warn", "; ".join(lacking), "Read from Render, then see doctor.")
        return Step("Webhook", "ok", f"secret is set; Render calls {address()}")
    todo = "With a Professional workspace: read from Render, then copy the webhook's secret into RENDER_WEBHOOK_SECRET."
    return Step("Webhook", "idle", "not set; polling sees every change within a minute", todo)


def _databases(product: list[Environment]) -> list[Step]:
    made = []
    for environment in product:
        export, migration = environment.variable("export"), environment.variable("migration")
        if not known_dsn(environment, "export"):
            state, todo = (
                f"{export} is not set here",
                f"Set {export} to a read-only role; Connect a database shows how.",
            )
            made.append(Step(f"Database of {environment}", "warn" if environment.protected else "idle", state, todo))
        elif not known_dsn(environment, "migration"):
            todo = f"To apply migrations from here, set {migration} on the worker."
            made.append(Step(f"Database of {environment}", "ok", f"{export} is set", todo))
        else:
            made.append(Step(f"Database of {environment}", "ok", "both variables are set"))
    return made


def _store() -> Step:
    told = [check.tone for check in doctor.run(only="secrets") if check.name.startswith("BACKUP_")]
    keys = "bad" not in told
    todo = "" if keys else "Set BACKUP_STORE, BACKUP_AGE_RECIPIENTS and BACKUP_SIGNING_KEY (docs/deploy.md, step 1)."
    return Step("Backup store and keys", "ok" if keys else "warn", "keys are set" if keys else "keys are missing", todo)


def discover_everything(
    progress: Callable[[str, int], None] = lambda name, count: None,
) -> tuple[list[str], list[str]]:
    """Render first (its services name the Supabase projects), then every registered part; errors are sentences."""
    lines: list[str] = []
    errors: list[str] = []
    if configured():
        try:
            lines += discover(progress)
        except (ProviderError, Refused) as error:
            errors.append(str(error))
    more, wrong = onboarding.discover()
    return lines + more, errors + wrong
