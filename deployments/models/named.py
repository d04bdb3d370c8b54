"""What Render's ids and commits in an operation's parameters mean: (name, address of its page), empty if unknown."""

from __future__ import annotations

from deployments.models.config import VariableGroup
from deployments.models.deployment import Deployment
from deployments.models.function import FunctionBundle
from deployments.models.service import Service
from operations.models import Environment
from operations.navigation import page_of

Named = tuple[str, str]
NOBODY: Named = ("", "")


def service(environment: Environment, render_id: str) -> Named:
    row = Service.objects.filter(render_id=render_id).first()
    return (row.name, page_of(row)) if row else NOBODY


def deployment(environment: Environment, render_id: str) -> Named:
    row = Deployment.objects.select_related("service").filter(render_id=render_id).first()
    return (_told(row), page_of(row)) if row else NOBODY


def deployment_short(render_id: str) -> str:
    row = Deployment.objects.filter(render_id=render_id).first()
    return row.short if row else render_id


def commit(environment: Environment, sha: str) -> Named:
    """By the newest deploy of it; a commit that was never deployed has no title here."""
    row = Deployment.objects.select_related("service").filter(commit_sha__startswith=sha).first()
    return (
        (f"{sha[:7]} “{row.title}”" if row.title else sha[:7], row.service.commit_url(sha)) if row else (sha[:12], "")
    )


def group(environment: Environment, render_id: str) -> Named:
    row = VariableGroup.objects.filter(render_id=render_id).first()
    return (row.name, "") if row else NOBODY


def bundle(environment: Environment, sha256: str) -> Named:
    row = FunctionBundle.objects.filter(sha256__startswith=sha256).defer("content").first()
    if row is None:
        return NOBODY
    files = f"{len(row.files)} file{'' if len(row.files) == 1 else 's'}, " if row.files else ""
    return f"{row}, {files}kept {row.kept_at:%Y-%m-%d %H:%M} by {row.kept_by or 'the portal'}", ""


def _told(row: Deployment) -> str:
    title = f" “{row.title}”" if row.title else ""
    return f"{row.short}{title}, deployed {row.created_at:%Y-%m-%d %H:%M} by {row.who}"
