"""sampelit-ops list_runs --store URL: the newest runs that a store holds, read from the store alone."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from typing import Any

from backups.archive import keys
from backups.archive.reader import Listed, runs
from backups.management import cli
from providers.answers import Answer, columns
from providers.counting import counted


class Command(cli.StoreCommand):
    help = "Lists the newest runs of a store, newest first; needs neither the portal's database nor the product's."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--store", help="store URL; without it BACKUP_STORE")
        parser.add_argument("--last", type=_number, default=50, help="so many (default: 50); 0: all, oldest first")

    def answer(self, options: dict[str, Any]) -> Answer:
        store = cli.store_from(options["store"], reading=True)
        listed = list(runs(store, keys.verifier(), options["last"]))
        more = [f"These are the newest {len(listed)}; --last 0 shows all."] if len(listed) == options["last"] else []
        return Answer(
            [asdict(item) for item in listed],
            [*columns(map(_row, listed)), *more] or ["The store holds no runs."],
            follow="`sampelit-ops verify_run RUN --store URL` reads one back; `restore_run` restores it."
            if listed
            else "`sampelit-ops export POLICY.toml --store URL` makes one.",
        )


def _row(item: Listed) -> tuple[object, ...]:
    if item.problem:
        return (item.run, item.status, item.problem, "", "", "")
    place = f"{item.environment}/{item.policy}"
    status = f"{item.status} in part" if item.in_part else item.status
    return (item.run, status, place, item.taken_at[:19], counted(item.rows, "row"), f"{item.stored_bytes} bytes")


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise ArgumentTypeError(f"{text!r} is no number of runs")
    return int(text)
