"""sampelit-ops table_csv RUN TABLE --store URL [-o FILE]: one table of a run as CSV, where the private key is."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from backups.archive import keys
from backups.archive.reader import load
from backups.management import cli
from backups.restore import table_csv
from providers.answers import Answer
from providers.errors import Refused


class Command(cli.StoreCommand):
    help = "Writes one table of a run as CSV, after every object of it was checked; binary ones are converted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run")
        parser.add_argument("table", help="schema.table; without a schema: public")
        parser.add_argument("--store", help="store URL; without it BACKUP_STORE")
        parser.add_argument("-o", "--out", help="a new file, readable by you alone; without it: standard output")

    def answer(self, options: dict[str, Any]) -> Answer:
        if options["json"] and not options["out"]:
            raise Refused("Standard output is the CSV: give --json a file with -o. Nothing was read.")
        store = cli.store_from(options["store"], reading=True)
        manifest = load(store, options["run"], keys.verifier())
        table = table_csv.wanted(manifest, options["table"], keys.identities())
        blocks = table_csv.csv_of(manifest, table, store, keys.identities())
        with _target(options["out"]) as target:
            for block in blocks:
                target.write(block)
        return Answer(
            {"run": manifest.run, "table": table.qualified, "rows": table.rows, "file": options["out"]},
            notes=[f"{table.qualified} of run {manifest.run}: {table.rows} rows"],
        )


@contextmanager
def _target(out: str | None) -> Iterator[BinaryIO]:
    """Standard output, or a new file that is removed again when it was not finished."""
    if not out:
        yield sys.stdout.buffer
        return
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Refused(f"{out} cannot be made: {error.strerror}. Nothing was written. Name a new file.") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except BaseException:
        Path(out).unlink(missing_ok=True)
        raise
