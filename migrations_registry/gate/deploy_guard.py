"""The gate at a deploy: its consequences list the commit's migrations that are not applied, and the policy may refuse.

In: a deploy's environment and parameters. Out: consequence lines, or Refused. Repository and target have seconds to
answer; what they do not say is told as not known.
"""

from __future__ import annotations

from deployments.models import Service
from migrations_registry.gate import answer as gate_answer
from migrations_registry.gate import commits
from migrations_registry.gate.answer import Answer
from migrations_registry.models import MigrationFile, RulePolicy
from migrations_registry.services.planning import policy_in_force
from operations.engine.specs import Consequence, Parameters
from operations.models import Environment
from providers.errors import Refused

KIND = "deployments.deploy"
SHOWN = 10
STATIC = "static_site"


def of_a_deploy(environment: Environment, parameters: Parameters) -> Answer | None:
    """None where there is nothing to ask: a static site, no repository, no registered migrations."""
    service = Service.objects.filter(render_id=parameters.get("service", "")).first()
    repository = commits.repository_of(service.repo) if service else ""
    if service is None or service.type == STATIC or not repository or not MigrationFile.objects.exists():
        return None
    row = commits.read(repository, str(parameters.get("commit") or service.branch or "HEAD"))
    if row.problem:
        return Answer(0, unsure=(f"the commit's migrations could not be read: {row.problem}",))
    listed = [(one["path"], one["sha256"], one["stream"]) for one in row.files]
    return gate_answer.of_files(environment, listed, row.rejected)


def tell(environment: Environment, parameters: Parameters) -> list[Consequence]:
    """What the confirmation page says."""
    answer = of_a_deploy(environment, parameters)
    if answer is None:
        return []
    lines = [Consequence(f"Not applied on {environment}: {text}", "bad") for text in _some(answer.missing)]
    lines += [Consequence(f"Nobody knows: {text}", "warn") for text in _some(answer.unsure)]
    if not lines and answer.count:
        lines = [Consequence(f"Every migration of this commit ({answer.count}) is applied on {environment}.", "ok")]
    return lines


def refuse(environment: Environment, parameters: Parameters) -> None:
    """By policy, on protected environments only: at the request and again at the claim."""
    policy = policy_in_force()
    gated = policy.gate if policy else RulePolicy.Gate.WARN
    if gated == RulePolicy.Gate.WARN or not environment.protected:
        return
    answer = of_a_deploy(environment, parameters)
    if answer is None:
        return
    if answer.missing:
        raise Refused(
            f"Its migrations are not applied on {environment}: {'; '.join(_some(answer.missing))}. Nothing was "
            "deployed; apply them first (Migrations, Status everywhere), or change the rule policy's gate."
        )
    if gated == RulePolicy.Gate.STRICT and answer.unsure:
        raise Refused(
            f"Nobody knows whether its migrations are applied on {environment}: {'; '.join(_some(answer.unsure))}. "
            "Nothing was deployed; make it known, or change the rule policy's gate from strict to refuse."
        )


def _some(lines: tuple[str, ...]) -> list[str]:
    more = len(lines) - SHOWN
    return [*lines[:SHOWN], *([f"and {more} more"] if more > 0 else [])]
