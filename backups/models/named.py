"""What the ids in an operation's parameters mean: (name, address of its page), both empty where nobody knows it."""

from __future__ import annotations

from backups.models.hold import Hold
from backups.models.incident import Incident
from backups.models.policy import Policy
from backups.models.provider_backup import ProviderBackup
from backups.models.restore import Restore
from backups.models.run import Run
from backups.policy_spec import run_name
from operations.models import Environment
from operations.navigation import page_of

Named = tuple[str, str]
NOBODY: Named = ("", "")


def title_of(pk: str) -> str:
    """A run's name where its environment is said already; the id where there is no such run."""
    row = Run.objects.select_related("policy").filter(pk=pk).first()
    return _title(row) if row else pk


def name_of(pk: str) -> str:
    """A run's whole name; the id where there is no such run."""
    return str(Run.objects.select_related("policy__environment").filter(pk=pk).first() or pk)


def run(environment: Environment, pk: str) -> Named:
    row = Run.objects.select_related("policy").filter(pk=pk).first()
    if row is None:
        return NOBODY
    return f"{_title(row)}, {row.get_status_display().lower()}, {row.rows:,} rows", page_of(row)


def policy(environment: Environment, name: str) -> Named:
    row = Policy.objects.filter(environment=environment, name=name).first()
    return (row.title, page_of(row)) if row else NOBODY


def incident(environment: Environment, pk: str) -> Named:
    row = Incident.objects.defer("evidence").filter(pk=int(pk)).first() if pk.isdecimal() else None
    return (str(row), page_of(row)) if row else NOBODY


def hold(environment: Environment, pk: str) -> Named:
    row = Hold.objects.select_related("run__policy").filter(pk=int(pk)).first() if pk.isdecimal() else None
    return (f"on {_title(row.run)}: {row.reason}"[:200], page_of(row.run)) if row else NOBODY


def restore(environment: Environment, operation: str) -> Named:
    row = Restore.objects.select_related("run__policy").filter(operation=operation).first()
    if row is None:
        return NOBODY
    name = row.report.get("database") or row.target
    return f"{name}, of {_title(row.run)}", page_of(row)


def provider_backup(environment: Environment, external_id: str) -> Named:
    row = ProviderBackup.objects.filter(environment=environment, external_id=external_id).first()
    return (f"{row}, {row.taken_at:%Y-%m-%d %H:%M} UTC", "") if row else NOBODY


def _title(row: Run) -> str:
    return run_name(row.policy.title, row.started_at)
