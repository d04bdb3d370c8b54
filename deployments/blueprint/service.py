"""The render.yaml of an environment against what runs: where the file comes from, what is kept of it, what differs."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction

from deployments.blueprint.compare import Difference, absent, compare
from deployments.blueprint.parse import MAX_BYTES, Declared, Part, Prints, parse
from deployments.models import BlueprintFile, Service
from deployments.models.deployment import Status
from deployments.variables import parity
from deployments.variables.fingerprints import fingerprint
from ledger.services import record
from operations.authority import holds
from operations.models import Environment
from operations.periodic.clock import database_time
from operations.periodic.isolation import one_by_one
from providers import git
from providers.errors import ProviderError, Refused
from providers.redact import Redactor, redact
from providers.render import Render

PATH = "render.yaml"


@dataclass(frozen=True)
class SourceFile:
    """A file's content and where it came from."""

    content: bytes
    source: str = BlueprintFile.Source.GIVEN
    repo: str = ""
    commit: str = ""


def from_repository(environment: Environment, path: str = PATH) -> SourceFile:
    """The file at the commit that is live. Raises Refused and ProviderError."""
    services = Service.objects.filter(environment=environment, removed_at=None, parent_render_id="").exclude(repo="")
    for service in services.order_by("-type", "name"):
        live = service.deployments.filter(status=Status.LIVE).exclude(commit_sha="").order_by("-created_at").first()
        if live is None:
            continue
        content = _read(f"{service.repo}@{live.commit_sha}", path)
        if content is None:
            raise Refused(f"{service.repo} has no {path} at {live.short}. Nothing was read.")
        return SourceFile(content, BlueprintFile.Source.REPOSITORY, service.repo, live.commit_sha)
    raise Refused(f"{environment} has no live deployment with a commit. Nothing was read; give the file here.")


def _read(source: str, path: str) -> bytes | None:
    """One file of one commit; None where it has none. Raises Refused and ProviderError, with the other way in."""
    try:
        files = git.read_files(source, wanted=lambda name: name == path, limit=MAX_BYTES)
        return next((data for _, data in files), None)
    except (Refused, ProviderError) as error:
        instead = "Give the file on the environment's render.yaml page, or with sampelit-ops render_drift."
        raise ProviderError(f"{error} {instead}", retryable=False) from error


def store_blueprint(
    environment: Environment, file: SourceFile, *, by: User, api: Render | None = None
) -> BlueprintFile:
    """Keep what the file declares, and Render's own verdict where `api` can be asked. Raises Refused."""
    values: set[str] = set()

    def noted(value: str) -> str:
        values.add(value)
        return fingerprint(value)

    declared = parse(file.content, noted)
    valid, answer = _verdict(environment, file.content, api)
    verdict = redact(Redactor(frozenset(values)).text(answer))  # Render quotes what it does not like
    facts = {
        "source": file.source,
        "repo": file.repo[:300],
        "commit_sha": file.commit[:64],
        "sha256": hashlib.sha256(file.content).hexdigest(),
        "declared": declared.stored(),
        "valid": valid,
        "verdict": verdict[:500],
        "read_at": database_time(),
        "read_by": by.get_username(),
    }
    with transaction.atomic():
        row, _ = BlueprintFile.objects.update_or_create(environment=environment, defaults=facts)
        record(
            "deployments.blueprint_read",
            actor=by.get_username(),
            environment=environment.slug,
            subject=str(row),
            data={
                "sha256": row.sha256,
                "source": row.source,
                "commit": row.commit_sha,
                "services": len(declared.parts),
            },
        )
    compare_again(row)
    return row


def compare_all() -> None:
    """The periodic job: every file that was read is compared again; a row is written only where that changed."""
    one_by_one(BlueprintFile.objects.select_related("environment"), compare_again)


def compare_again(file: BlueprintFile) -> list[Difference]:
    differences = against(file.environment, Declared.load(file.declared))
    lines = [asdict(line) for line in differences]
    if lines != file.differences:
        file.differences = lines
        file.save(update_fields=["differences"])
    return differences


def _verdict(environment: Environment, content: bytes, api: Render | None) -> tuple[bool | None, str]:
    """Render's validation; that it could not be asked is no error of the file."""
    owner = Service.objects.filter(environment=environment).exclude(owner_id="").values_list("owner_id", flat=True)
    workspace = owner.first()
    if api is None or workspace is None:
        return None, ""
    try:
        check = api.blueprints.validate(workspace, content)
    except ProviderError as error:
        return None, f"Render could not be asked: {error.message}"
    return check.valid, "" if check.valid else "; ".join(check.errors) or "invalid"


def against(environment: Environment, declared: Declared) -> list[Difference]:
    """What differs now. Previews are made from their parents and are left out."""
    every = list(parity.loaded(Service.objects.filter(removed_at=None, parent_render_id="")).order_by("-type", "name"))
    here = [service for service in every if service.environment_id == environment.pk]
    groups: dict[str, Prints] = {
        group.name: {row.key: row.fingerprint for row in group.variables.all() if row.kind == "variable"}
        for service in here
        for group in service.groups.all()
    }
    return [*absent(declared, [s.name for s in every]), *compare(declared, [part(s) for s in here], groups)]


def part(service: Service) -> Part:
    """A service as it runs, in the words of render.yaml."""
    details = {**service.settings, **(service.settings.get("envSpecificDetails") or {})}
    settings = {name: str(value).strip() for name, value in details.items() if isinstance(value, str | int)}
    settings |= {
        "type": service.type,
        "branch": service.branch,
        "repo": service.repo,
        "autoDeploy": _autodeploy(service),
        "healthCheckPath": service.health_check_path,
        "runtime": str(details.get("runtime") or details.get("env") or ""),
    }
    own = {row.key: row.fingerprint for row in service.variables.all() if row.kind == "variable"}
    groups = [group.name for group in service.groups.all()]
    return Part(service.name, settings, own if own or groups else None, groups)


def _autodeploy(service: Service) -> str:
    if service.autodeploy_trigger == "checksPass":
        return "after checks"
    return "on" if service.autodeploy else "off"


def may_read(user: User | AnonymousUser, environment: Environment | None) -> bool:
    held = ("deployments.configure", "operations.change_environment")
    return any(holds(user, permission, environment) for permission in held)
