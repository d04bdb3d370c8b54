"""The gate at a deploy: its consequences list the commit's migrations that are not applied, and the policy may refuse.

In: a deploy's environment and parameters. Out: consequence lines, or Refused. No page waits for a repository: a
worker reads a commit that is wanted, and until then, or where it says nothing, it is told as not known.
"""

from __future__ import annotations

from deployments.models import Service
from migrations_registry.gate import check as gate_check
from migrations_registry.gate import commits
from migrations_registry.gate.check import GateResult
from migrations_registry.models import MigrationFile, RulePolicy
from migrations_registry.services.planning import policy_in_force
from operations.engine.specs import Consequence, Parameters
from operations.models import Environment
from providers.errors import Refused

KIND = "deployments.deploy"
SHOWN = 10
READING = "the commit's migrations are being read from its repository; look again in half a minute"
STATIC = "static_site"


def look(environment: Environment, parameters: Parameters) -> None:
    """Read the commit from its repository, within seconds."""
    source = _source(parameters)
    if source is not None:
        commits.read(*source)


def _source(parameters: Parameters) -> tuple[str, str] | None:
    """Repository and revision; None where there is nothing to ask: a static site, no repository, no migrations."""
    service = Service.objects.filter(render_id=parameters.get("service", "")).first()
    repository = commits.repository_of(service.repo) if service else ""
    if service is None or service.type == STATIC or not repository or not MigrationFile.objects.exists():
        return None
    return repository, str(parameters.get("commit") or service.branch or "HEAD")


def of_a_deploy(environment: Environment, parameters: Parameters) -> GateResult | None:
    """None where there is nothing to ask."""
    source = _source(parameters)
    if source is None:
        return None
    row = commits.known(*source)
    if row is None:
        return GateResult(0, unsure=(READING,))
    if row.problem:
        return GateResult(0, unsure=(f"the commit's migrations could not be read: {row.problem}",))
    listed = [(file["path"], file["sha256"], file["stream"]) for file in row.files]
    return gate_check.of_files(environment, listed, row.rejected)


def tell(environment: Environment, parameters: Parameters) -> list[Consequence]:
    """What the confirmation page says."""
    result = of_a_deploy(environment, parameters)
    if result is None:
        return []
    lines = [Consequence(f"Not applied on {environment}: {text}", "bad") for text in _some(result.missing)]
    lines += [Consequence(f"Unknown whether the code fits: {text}", "warn") for text in _some(result.unsure)]
    if not lines and result.count:
        lines = [Consequence(f"Every migration of this commit ({result.count}) is applied on {environment}.", "ok")]
    return lines


def refuse(environment: Environment, parameters: Parameters) -> None:
    """By policy, on protected environments only: at the request and again at the claim."""
    policy = policy_in_force()
    gated = policy.gate if policy else RulePolicy.Gate.WARN
    if gated == RulePolicy.Gate.WARN or not environment.protected:
        return
    result = of_a_deploy(environment, parameters)
    if result is None:
        return
    if result.missing:
        raise Refused(
            f"Its migrations are not applied on {environment}: {'; '.join(_some(result.missing))}. Nothing was "
            "deployed; apply them first (Migrations, Status everywhere), or change the rule policy's gate."
        )
    if gated == RulePolicy.Gate.STRICT and result.unsure:
        raise Refused(
            f"Nobody knows whether its migrations are applied on {environment}: {'; '.join(_some(result.unsure))}. "
            "Nothing was deployed; make it known, or change the rule policy's gate from strict to refuse."
        )


def _some(lines: tuple[str, ...]) -> list[str]:
    more = len(lines) - SHOWN
    return [*lines[:SHOWN], *([f"and {more} more"] if more > 0 else [])]
