"""A consistent, seeded Sampelit. In: a connection to an empty schema, sizes, a seed. Out: rows, hashed and chained.

The same seed, sizes and `until` give the same bytes. Each assignment has exactly one audit row and vice versa.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from sandbox.chain import decision_hash
from sandbox.people import COMPANIES, EXPERIMENTS, PEOPLE, SEGMENTS, digest, new_id, visitor

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 270
ALGORITHM = "thompson-2.3.0"
HASH = "$2b$12$sandboxsandboxsandboxsO3kU1s3fM9Qw7mJt0qYp2dJ5bX8hZ6aW"


@dataclass
class Variant:
    row: list[Any]
    allocations: int = 0
    conversions: int = 0


@dataclass
class Experiment:
    id: UUID
    user_id: UUID
    name: str
    started_at: datetime
    elements: list[tuple[UUID, list[Variant]]] = field(default_factory=list)


def seed_core(
    connection: psycopg.Connection[Any], *, rows: int, experiments: int, seed: int, until: datetime
) -> list[UUID]:
    """Fill users … algorithm_audit_trail with `rows` decisions over `experiments` chains; return the users' ids."""
    rng = random.Random(seed)  # noqa: S311  (invention, not secrecy)
    users = _users(connection, rng, max(2, (experiments + 1) // 2), until)
    made = [_experiment(rng, users, number, until) for number in range(experiments)]
    _copy_experiments(connection, made, rng)
    assignments: list[Sequence[Any]] = []
    audit: list[Sequence[Any]] = []
    for experiment, size in zip(made, _sizes(rng, rows, experiments), strict=True):
        _chain(rng, experiment, size, until, assignments, audit)
    variants = [(element, variant) for e in made for element, group in e.elements for variant in group]
    copy(connection, "element_variants", VARIANT, [_variant_row(element, variant) for element, variant in variants])
    copy(connection, "assignments", ASSIGNMENT, assignments)
    copy(connection, "algorithm_audit_trail", AUDIT, audit)
    return users


VARIANT = (
    "id element_id variant_order name content algorithm_state created_at updated_at total_allocations total_conversions"
)
ASSIGNMENT = "id experiment_id user_id variant_assignments context assigned_at converted_at conversion_value"
AUDIT = (
    "id experiment_id visitor_id selected_variant_id assignment_id decision_timestamp segment_key algorithm_version "
    "context_hash user_agent_hash conversion_observed conversion_timestamp conversion_value sequence_number "
    "previous_hash decision_hash created_at"
)


def copy(connection: psycopg.Connection[Any], table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """COPY `rows` into `table`; `columns` are separated by blanks."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns.split()))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as stream:
        for row in rows:
            stream.write_row(row)


def _users(connection: psycopg.Connection[Any], rng: random.Random, count: int, until: datetime) -> list[UUID]:
    ids = [new_id(rng) for _ in range(count)]
    columns = "id email password_hash full_name company role settings created_at updated_at"
    rows = []
    for number, user in enumerate(ids):
        at = until - timedelta(days=DAYS + 30, minutes=rng.randrange(60 * 24 * 20))
        person, company = PEOPLE[number % len(PEOPLE)], COMPANIES[number % len(COMPANIES)]
        role = "admin" if number == 0 else "client"
        settings = Jsonb({"language": rng.choice(["es", "en"]), "weekly_report": bool(rng.getrandbits(1))})
        rows.append([user, f"user{number}@example.com", HASH, person, company, role, settings, at, at])
    copy(connection, "users", columns, rows)
    return ids


def _experiment(rng: random.Random, users: Sequence[UUID], number: int, until: datetime) -> Experiment:
    started = until - timedelta(days=DAYS - number * 3, seconds=rng.randrange(86_400))
    name = EXPERIMENTS[number % len(EXPERIMENTS)] + (f" {number // len(EXPERIMENTS) + 1}" if number >= 12 else "")
    made = Experiment(new_id(rng), users[number % len(users)], name, started)
    for _ in range(rng.choice([1, 1, 2])):
        made.elements.append((new_id(rng), [_variant(rng, order, started) for order in range(rng.choice([2, 3, 4]))]))
    return made


def _variant(rng: random.Random, order: int, at: datetime) -> Variant:
    content = Jsonb({"text": rng.choice(["Comprar ahora", "Añadir al carrito", "Buy now"]), "order": order})
    return Variant(
        [new_id(rng), order, "Control" if order == 0 else f"Variant {order}", content, rng.randbytes(48), at]
    )


def _variant_row(element: UUID, variant: Variant) -> list[Any]:
    key, order, name, content, state, at = variant.row
    return [key, element, order, name, content, state, at, at, variant.allocations, variant.conversions]


def _copy_experiments(connection: psycopg.Connection[Any], made: Sequence[Experiment], rng: random.Random) -> None:
    columns = "id user_id name description status url config started_at created_at updated_at"
    at = [e.started_at for e in made]
    copy(
        connection,
        "experiments",
        columns,
        [
            [
                e.id,
                e.user_id,
                e.name,
                f"Sandbox: {e.name}",
                "active",
                "https://shop.example.com/",
                Jsonb({"seeded": True}),
                when,
                when,
                when,
            ]
            for e, when in zip(made, at, strict=True)
        ],
    )
    rows = [
        [
            element,
            e.id,
            order,
            f"Element {order + 1}",
            f"#cta-{order}",
            rng.choice(["button", "headline", "image"]),
            Jsonb({"html": "<b>¡Compra!</b>"}),
            e.started_at,
        ]
        for e in made
        for order, (element, _) in enumerate(e.elements)
    ]
    names = "id experiment_id element_order name selector_value element_type original_content created_at"
    copy(connection, "experiment_elements", names, rows)


def _sizes(rng: random.Random, rows: int, experiments: int) -> list[int]:
    """Uneven shares that add up to `rows`; nobody goes without while there is one row each."""
    weights = [rng.uniform(0.3, 1.7) for _ in range(experiments)]
    sizes = [int(rows * weight / sum(weights)) for weight in weights]
    for index in range(rows - sum(sizes)):
        sizes[index % experiments] += 1
    return sizes


def _chain(
    rng: random.Random,
    e: Experiment,
    size: int,
    until: datetime,
    assignments: list[Sequence[Any]],
    audit: list[Sequence[Any]],
) -> None:
    """One experiment's decisions in order; about 1 % of the times have no microseconds, 8 % convert later."""
    previous: str | None = None
    moments = sorted(rng.random() for _ in range(size))
    for sequence, share in enumerate(moments, 1):
        at = e.started_at + share * (until - e.started_at)
        at = at.replace(microsecond=0) if rng.random() < 0.01 else at
        chosen = [rng.choice(group) for _, group in e.elements]
        who, segment, assignment = visitor(rng), rng.choice(SEGMENTS), new_id(rng)
        converted = min(at + timedelta(seconds=rng.randrange(30, 400_000)), until) if rng.random() < 0.08 else None
        value = round(rng.uniform(5, 250), 2) if converted else None
        for variant in chosen:
            variant.allocations += 1
            variant.conversions += converted is not None
        picks = Jsonb({str(element): str(v.row[0]) for (element, _), v in zip(e.elements, chosen, strict=True)})
        context = Jsonb({"device": rng.choice(["phone", "desktop"]), "país": "España"})
        assignments.append([assignment, e.id, who, picks, context, at, converted, value])
        selected = chosen[0].row[0]
        digested = decision_hash(who, selected, segment, at, previous, sequence)
        pseudonyms = digest(rng), digest(rng)
        decision = (new_id(rng), e.id, who, selected, assignment, at, segment, ALGORITHM, *pseudonyms)
        outcome = (converted is not None, converted, value)
        audit.append([*decision, *outcome, sequence, previous, digested, at])
        previous = digested
