"""`python -m bench.pages [--scale 1.0] [--rounds 5]`: what each page costs the server after years of work.

In: a throwaway server with one row of each kind, then 200,000 deployments, 100,000 operations, 300,000 ledger entries,
5,000 runs, 100,000 deliveries (times `--scale`). Out: pages above 300 ms, slowest first; exit 1 if there are any.
Counted is processor time, ours and the database's, because others may use the machine; wall time stands beside it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from providers.embedded_postgres.throwaway import throwaway

MOST_MS = 300.0
HERE = Path(__file__).parent
ROWS = {"operations": 100_000, "entries": 300_000, "runs": 5_000, "deliveries": 100_000, "checks": 2_000}
DEPLOYMENTS = 200_000
LISTS = ("deployments/deployment", "operations/operation", "ledger/entry", "backups/run", "deployments/webhookdelivery")
ASKED = ("", "p=19", "q=nothing+like+this", "q=3fa9b1c", "q=number", "o=1", "o=-2", "o=3", "o=-4", "o=5")


@dataclass(frozen=True)
class Cost:
    """Milliseconds of processors, of which the database's; the wall's; the largest of so many rounds."""

    url: str
    total: float
    database: float
    wall: float
    status: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.pages", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="a part of the addresses")
    options = parser.parse_args()
    with prepared(options.scale):
        costs = sorted(_measured(options.rounds, options.only), key=lambda cost: -cost.total)
    for cost in costs[:25]:
        late = "   TOO MUCH" if cost.total > MOST_MS else ""
        print(f"{cost.total:8.0f} ms{cost.database:8.0f} database{cost.wall:8.0f} wall  {cost.status} {cost.url}{late}")
    many, load = sum(cost.total > MOST_MS for cost in costs), os.getloadavg()[0]
    print(f"{len(costs)} addresses, {many} above {MOST_MS:g} ms; load {load:.1f} on {os.cpu_count()} cores")
    return int(many > 0)


@contextmanager
def prepared(scale: float) -> Iterator[None]:
    """This process is the portal, on a throwaway server that holds the rows."""
    with throwaway() as server:
        os.environ["DATABASE_URL"] = server.dsn()
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sampelit_ops.settings")
        os.environ.setdefault("DEMO", "1")  # its operations are among the rows
        for key in ("SECRET_KEY", "FACTOR_KEY"):
            os.environ.setdefault(key, "only-for-this-bench" * 3)
        _prepare(scale)
        yield


def _prepare(scale: float) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from deployments.models import Service
    from operations.models import Environment
    from tests import factories

    call_command("migrate", verbosity=0)
    factories.world()
    production = Environment.objects.get(slug="production")
    for number in range(50):
        Service.objects.create(render_id=f"srv-bench-{number}", name=f"service {number}", environment=production)
    with connection.cursor() as cursor:
        cursor.execute((HERE / "deployments.sql").read_text(), {"rows": int(DEPLOYMENTS * scale)})
        cursor.execute((HERE / "pages.sql").read_text(), {name: int(count * scale) for name, count in ROWS.items()})
        cursor.execute("ANALYZE")


def _measured(rounds: int, only: str) -> list[Cost]:
    from django.contrib.auth.models import User
    from django.test import Client

    from tests.browser.pages import pages

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.create_superuser("operator7", password="a-long-password"))  # noqa: S106
    made = {url for _, address in pages() if (url := address())}
    made |= {f"/admin/{name}/{'?' if asked else ''}{asked}" for name in LISTS for asked in ASKED}
    return [_cost(client, url, rounds) for url in sorted(made) if only in url]


def _cost(client: object, url: str, rounds: int) -> Cost:
    """The worst round but the first, which fills caches that live as long as the process."""
    taken = [_once(client, url) for _ in range(rounds + 1)][1:]
    return max(taken, key=lambda cost: cost.total)


def _once(client: object, url: str) -> Cost:
    from django.db import connection

    connection.ensure_connection()
    backend = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    ours, theirs, begun = time.process_time(), _spent(backend), time.perf_counter()
    answer = client.get(url)  # type: ignore[attr-defined]
    for _ in answer.streaming_content if answer.streaming else [answer.content]:
        pass
    wall, database = time.perf_counter() - begun, _spent(backend) - theirs
    return Cost(url, (time.process_time() - ours + database) * 1000, database * 1000, wall * 1000, answer.status_code)


def _spent(backend: Path) -> float:
    """Seconds that the database's process has run."""
    return int(backend.read_text().split()[0]) / 1e9


if __name__ == "__main__":
    sys.exit(main())
