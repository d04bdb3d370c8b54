"""From a restore beside to a registered migration: generated, parsed, stored, then approved like any other.

In: the restore's operation, what was lost, a person. Out: a MigrationFile; asking twice answers the same one.
"""

from __future__ import annotations

import re

from backups.archive.manifest import Manifest
from backups.models import Run
from backups.stores.trusted_manifest import store_of, trusted_manifest
from migrations_registry.history.baseline import is_baselined
from migrations_registry.models import MigrationFile
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import discover
from operations.dsns import export_dsn
from operations.models import Environment, Operation
from providers import postgres
from providers.errors import Refused
from providers.postgres import database_mark
from providers.postgres.schema.model import parted
from sampelit_ops.recover.loss import Lost
from sampelit_ops.recover.migration_sql import migration


def write(operation: Operation, lost: Lost, by: str) -> MigrationFile:
    """Raises Refused or ProviderError; then nothing was registered."""
    environment, schema = operation.environment, schema_of(operation)
    text = migration(lost, _manifest(operation), schema, live_columns(environment, lost))
    path = _path(operation, lost)
    migrations, rejected = discover([(path, text.encode())])
    if rejected:
        raise Refused(f"What was generated cannot be taken: {rejected[0].reason}. Nothing was registered.")
    register_files(migrations, source=f"recover {lost.words}", by=by, environment=environment.slug)
    return MigrationFile.objects.get(path=path, sha256=migrations[0].sha256)


def schema_of(operation: Operation) -> str:
    """The schema beside. Raises Refused for another operation, or one that has not ended well."""
    target = str(operation.parameters.get("target", ""))
    if operation.kind != "backups.restore" or not target.startswith("schema:"):
        raise Refused(f"{operation.pk} restored nothing beside the live tables. Nothing was written.")
    if operation.status != "succeeded":
        raise Refused(f"The restore {operation.pk} is {operation.status}. Nothing was written.")
    return target.removeprefix("schema:")


def _manifest(operation: Operation) -> Manifest:
    run = Run.objects.filter(pk=operation.parameters.get("run", "")).first()
    if run is None:
        raise Refused(f"{operation.pk} names no run. Nothing was written.")
    return trusted_manifest(run, store_of(run))


def live_columns(environment: Environment, lost: Lost) -> list[str]:
    """The columns of the lost table that exist now. Raises Refused without a DSN, ProviderError without an answer."""
    with postgres.connect(export_dsn(environment), timeout=5) as connection:
        return database_mark.columns(connection, parted(lost.table))


def _path(operation: Operation, lost: Lost) -> str:
    """A name of the stream that this environment's history knows; the same for the same restore."""
    stamp = f"{operation.requested_at:%Y%m%d%H%M%S}"
    what = re.sub(r"[^a-z0-9]+", "_", str(lost).lower()).strip("_")[:60]
    if is_baselined(operation.environment, MigrationFile.Stream.SUPABASE):
        return f"supabase/migrations/{stamp}_recover_{what}.sql"
    return f"recover/migration_{stamp}_{what}.sql"
