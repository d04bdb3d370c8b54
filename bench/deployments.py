"""`python -m bench.deployments [--rows 200000] [--rounds 20]`: p95 and queries of the deployment list, for each filter.

In: a throwaway server with that many rows over 50 services. Out: a table; exit 1 above 300 ms or twelve queries.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from providers.embedded_postgres.throwaway import throwaway

MOST_MS, MOST_QUERIES = 300.0, 12
ROWS = Path(__file__).with_name("deployments.sql")
AGO = {"today": 0, "then": 90, "next": 89}
QUERIES = {
    "newest": "",
    "page 19": "p=19",
    "status": "status__exact=build_failed",
    "live": "status__exact=live",
    "environment": "service__environment__id__exact=1",
    "service": "service__id__exact=7",
    "mine": "who=me",
    "outside": "who=outside",
    "health": "health__exact=unhealthy",
    "today": "created_at__gte={today}",
    "one day": "created_at__gte={then}&created_at__lt={next}",
    "commit": "q=3fa9b1c",
    "message": "q=nothing+like+this",
    "id": "q=dep-150000",
    "status and environment": "status__exact=build_failed&service__environment__id__exact=2",
    "oldest first": "o=8",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.deployments", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with throwaway() as server:
        os.environ["DATABASE_URL"] = server.dsn()
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sampelit_ops.settings")
        _prepare(options.rows)
        worst = 0.0
        for name, least, p95, queries in measured(options.rounds):
            late = p95 > MOST_MS or queries > MOST_QUERIES
            print(f"{name:24}{least:8.1f} ms least{p95:8.1f} ms p95{queries:5} queries{'   TOO MUCH' if late else ''}")
            worst = max(worst, p95 if not late else 10 * MOST_MS)
    load = os.getloadavg()[0]
    print(f"{options.rows} rows, {options.rounds} rounds each, load {load:.1f} on {os.cpu_count()} cores")
    return int(worst > MOST_MS)


def _prepare(rows: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from deployments.models import Service
    from operations.models import Environment

    call_command("migrate", verbosity=0)
    for number in range(50):
        slug = "production" if number % 3 else "staging"
        environment, _ = Environment.objects.get_or_create(slug=slug, defaults={"name": slug.title(), "kind": slug})
        Service.objects.create(render_id=f"srv-{number}", name=f"service {number}", environment=environment)
    with connection.cursor() as cursor:
        cursor.execute(ROWS.read_text(), {"rows": rows})
        cursor.execute("ANALYZE")


def measured(rounds: int) -> Iterator[tuple[str, float, float, int]]:
    """(filter, least and p95 in ms, queries): whole answers, template and frame included, of a signed-in operator."""
    from datetime import timedelta

    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    client, now = Client(SERVER_NAME="127.0.0.1"), timezone.now()
    client.force_login(User.objects.create_superuser("operator7", password="a-long-password"))  # noqa: S106
    days = {name: f"{now - timedelta(days=ago):%Y-%m-%dT00:00:00Z}" for name, ago in AGO.items()}
    for name, query in QUERIES.items():
        url = f"/admin/deployments/deployment/?{query.format(**days)}"
        client.get(url)
        with CaptureQueriesContext(connection) as captured:
            client.get(url)
        asked = sum(not q["sql"].startswith(("SAVEPOINT", "RELEASE")) for q in captured.captured_queries)
        exact = [q for q in captured.captured_queries if "COUNT(" in q["sql"] and "LIMIT" not in q["sql"]]
        if exact:
            raise SystemExit(f"{url} counts exactly: {exact[0]['sql'][:200]}")
        took = []
        for _ in range(rounds):
            begun = time.perf_counter()
            if client.get(url).status_code != 200:
                raise SystemExit(f"{url} was not answered with 200")
            took.append((time.perf_counter() - begun) * 1000)
        yield name, min(took), statistics.quantiles(took, n=20)[-1], asked


if __name__ == "__main__":
    sys.exit(main())
