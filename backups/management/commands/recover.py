"""sampelit-ops recover --store URL: bring the portal's own database back into an empty one, from a store alone."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from backups.management import cli
from backups.recovery.recover import Recovered, recover
from providers.answers import Answer

LOST = (
    "People, approvals, the history of operations, deployments and migrations, and the ledger are lost: no copy of the "
    "portal was used. Make people with `sampelit-ops first_admin`, environments' variables and schedules anew."
)


class Command(cli.StoreCommand):
    help = "Rebuilds the portal from a store, in an empty database: its newest proven copy, then the runs since."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--store", help="store URL; without it BACKUP_STORE")
        parser.add_argument("--run", default="", help="this copy of the portal instead of the newest proven one")
        parser.add_argument("--manifests-only", action="store_true", help="use no copy: policies and runs alone")
        parser.add_argument("--unsigned", action="store_true", help="believe copies without any key to check them by")

    def answer(self, options: dict[str, Any]) -> Answer:
        store = cli.store_from(options["store"])
        watch, copy = cli.watch(options["json"]), options["run"]
        done = recover(store, watch, copy, options["manifests_only"], options["unsigned"])
        return Answer(
            done.as_json(),
            _lines(done),
            code=0 if done.valid else 1,
            follow="`sampelit-ops verify_ledger`, then start the services with this DATABASE_URL.",
        )


def _lines(done: Recovered) -> list[str]:
    if done.run:
        lines = [
            f"recovered from the copy {done.run} of {done.taken_at[:19]} UTC",
            f"{done.rows} rows came back, {done.entries} ledger entries among them",
            f"{done.ended} operations that had not ended were expired, {done.tokens} personal tokens were revoked",
            "whoever was deactivated after that time is active again: look through the people",
        ]
    else:
        lines = [LOST]
    lines.append(f"{len(done.added)} runs were added from their manifests, {done.refreshed} judged by later proofs")
    lines.append(f"{done.purged} runs were marked as deleted by retention")
    if done.lost_entries:
        lines.append(f"MISSING: at least {done.lost_entries} ledger entries that were written after that copy")
    lines += [f"MISSING: run {pk} is known here, but not in the store" for pk in done.missing]
    lines += [f"NOTE: {problem}" for problem in done.problems]
    lines.append("The ledger is valid." if done.valid else "THE LEDGER IS NOT VALID.")
    return lines
