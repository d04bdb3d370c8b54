"""sampelit-ops restore_run RUN --store URL --into-env VARIABLE | --into-service NAME: restore without the portal."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from backups.archive import keys
from backups.archive.late_rows import late_rows_of
from backups.archive.reader import load
from backups.management import cli
from backups.restore.into_empty import Target, restore
from operations.dsns import dsn_from
from providers.answers import Answer
from providers.errors import Refused


class Command(cli.StoreCommand):
    help = "Restores a run into an empty database, all or nothing, after every object was checked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run")
        parser.add_argument("--store", help="store URL; without it BACKUP_STORE")
        into = parser.add_mutually_exclusive_group(required=True)
        into.add_argument("--into-env", metavar="VARIABLE", help="the variable that holds the target's DSN")
        into.add_argument("--into-service", metavar="NAME", help="a service of pg_service.conf")
        parser.add_argument("--table", action="append", default=[], dest="tables", help="only this table (repeatable)")
        parser.add_argument("--chain", default="", metavar="EXPERIMENT", help="only this experiment's audit chain")
        parser.add_argument("--schema", default="", help="a new schema beside what is there")

    def answer(self, options: dict[str, Any]) -> Answer:
        target = Target(_dsn(options), options["schema"], tuple(options["tables"]), options["chain"])
        store = cli.store_from(options["store"], reading=True)
        manifest = load(store, options["run"], keys.verifier())
        late_rows = late_rows_of(store, manifest, keys.verifier())
        done = restore(manifest, store, keys.identities(), target, cli.watch(options["json"]), late_rows)
        document = {
            "run": manifest.run,
            "status": "restored",
            "rows": done.rows,
            "tables": done.tables,
            "seconds": done.milliseconds / 1000,
            "notes": list(done.notes),
        }
        lines = [f"run {manifest.run} restored: {done.rows} rows of {done.tables} tables"]
        lines += [f"  {note}" for note in done.notes]
        return Answer(document, lines, follow="look into the target with psql; the store was only read.")


def _dsn(options: dict[str, Any]) -> str:
    """The target's DSN; a URL in argv is refused, because other users of the machine can read argv."""
    name = options["into_env"] or options["into_service"]
    if "://" in name or "password=" in name or "=" in name:
        raise Refused(
            "A connection string on the command line can be read by everybody on this machine. Nothing was written. "
            "Put it into a variable and give the variable's name, or use a service."
        )
    if options["into_service"]:
        return f"service={name}"
    return dsn_from(name, "the target", "written")
