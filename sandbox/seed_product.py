"""The rows around the experiments: installations, exclusions, billing, integrations, leads. Seeded like the core."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb
from psycopg.types.range import Range

from sandbox.people import PEOPLE, digest, new_id
from sandbox.seed import copy

PLANS = {"free": 0, "starter": 29, "professional": 99, "scale": 299}
Connection = psycopg.Connection[Any]


def seed_product(connection: Connection, users: Sequence[UUID], *, rows: int, seed: int, until: datetime) -> None:
    """Fill the remaining tables, events and calls in proportion to `rows`."""
    rng = random.Random(seed + 1)  # noqa: S311
    installations = _accounts(connection, rng, users, until)
    _integrations(connection, rng, installations, rows // 10, until)
    _exclusions(connection, rng, users, until)
    rows_of_leads = [
        [
            new_id(rng),
            f"lead{n}@example.org",
            PEOPLE[n % len(PEOPLE)],
            "¿Cuánto cuesta? 👋",
            f"203.0.113.{n % 250}",
            rng.choice(["new", "contacted", "qualified", "lost"]),
            until - timedelta(hours=n),
        ]
        for n in range(max(5, rows // 200))
    ]
    copy(connection, "leads", "id email name message ip_address status created_at", rows_of_leads)


def _accounts(connection: Connection, rng: random.Random, users: Sequence[UUID], until: datetime) -> list[UUID]:
    installations: list[list[Any]] = []
    plans, onboarding, states = [], [], []
    for number, user in enumerate(users):
        at = until - timedelta(days=rng.randrange(40, 200))
        plan = rng.choice(list(PLANS))
        period = Range(date(until.year, until.month, 1), (until + timedelta(days=31)).date())
        url, platform = f"https://shop{number}.example.com", rng.choice(["shopify", "woocommerce", "custom"])
        installations.append([new_id(rng), user, platform, url, digest(rng), "verified", Jsonb({"theme": "Ñ"}), at, at])
        plans.append([new_id(rng), user, plan, "active", PLANS[plan], period, at])
        onboarding.append([user, "done", Jsonb(["welcome", "install"]), True, at])
        states.append([new_id(rng), user, digest(rng), platform, until + timedelta(minutes=10), until])
    names = "id user_id platform site_url installation_token status metadata verified_at created_at"
    copy(connection, "platform_installations", names, installations)
    copy(connection, "subscriptions", "id user_id plan status monthly_price current_period created_at", plans)
    copy(connection, "user_onboarding", "user_id current_step steps_done completed updated_at", onboarding)
    copy(connection, "oauth_states", "id user_id state platform expires_at created_at", states)
    return [row[0] for row in installations]


def _integrations(
    connection: Connection, rng: random.Random, installations: Sequence[UUID], count: int, until: datetime
) -> None:
    def moment() -> datetime:
        return until - timedelta(seconds=rng.randrange(60 * 86_400))

    hooks = [[new_id(rng), i, "orders/create", rng.randbytes(32), moment()] for i in installations]
    copy(connection, "integration_webhooks", "id installation_id topic secret created_at", hooks)
    pick = rng.choice
    events = [
        [new_id(rng), pick(installations), "order", Jsonb({"total": n, "nota": "envío"}), pick([True, False]), moment()]
        for n in range(count)
    ]
    copy(connection, "integration_events", "id installation_id event_type payload processed received_at", events)
    calls = [
        [new_id(rng), pick(installations), "/admin/api/orders.json", pick([200, 200, 429]), rng.random(), moment()]
        for _ in range(count)
    ]
    copy(connection, "integration_api_calls", "id installation_id endpoint status_code took called_at", calls)
    jobs = [[new_id(rng), i, "catalog", "done", 1, moment()] for i in installations]
    copy(connection, "platform_sync_jobs", "id installation_id job_type status attempts scheduled_at", jobs)


def _exclusions(connection: Connection, rng: random.Random, users: Sequence[UUID], until: datetime) -> None:
    rules = [[new_id(rng), user, "ip", f"198.51.100.{n % 250}", until] for n, user in enumerate(users)]
    copy(connection, "traffic_exclusion_rules", "id user_id rule_type rule_value created_at", rules)
    experiments = [key for (key,) in connection.execute("SELECT id FROM experiments ORDER BY id")]
    sessions = [
        [new_id(rng), rng.choice(experiments), rules[0][0], digest(rng), "oficina", until]
        for _ in range(len(users) * 3)
    ]
    copy(connection, "excluded_sessions", "id experiment_id rule_id session_id reason excluded_at", sessions)
