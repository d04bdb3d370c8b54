"""Coverage per table: which tables of an environment no enabled policy copies. In: a request, or the doctor.

Out: a page; amber for what is new, gone, renamed or uncovered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import psycopg
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse

from backups.models import Policy, Run
from backups.policies import outside
from backups.policies.outside import Kept, matches
from operations.doctor import Check
from operations.dsns import export_dsn, known_dsn
from operations.models import Environment
from operations.web.page_environment import page_environment
from operations.web.pages import render_page
from providers import postgres
from providers.errors import ProviderError, Refused
from providers.postgres.schema.outside import read_outside


@dataclass(frozen=True)
class Covered:
    """`policies` name it, `proven` is the newest run that holds it; without either it is amber."""

    table: str
    size_bytes: int
    policies: tuple[str, ...]
    proven: Any
    new: bool = False


@dataclass(frozen=True)
class Vanished:
    """A table that a proven run holds and the database does not: dropped, or renamed to `perhaps`."""

    table: str
    proven: Any
    perhaps: str


@dataclass(frozen=True)
class Proofs:
    """When each table was last proven, and what the newest proven run of each policy holds."""

    tables: dict[str, Any]
    held: dict[str, frozenset[str]]


def newest_proofs(environment: Environment) -> Proofs:
    newest: dict[str, Any] = {}
    held: dict[str, frozenset[str]] = {}
    runs = Run.objects.counting().filter(policy__environment=environment).select_related("policy")
    for run in runs.order_by("-proven_at")[:50]:
        held.setdefault(run.policy.name, frozenset(run.tables))
        for table in run.tables:
            newest.setdefault(table, run.proven_at)
    return Proofs(newest, held)


def covered(environment: Environment, sizes: dict[str, int], proofs: Proofs) -> list[Covered]:
    """One line a table, largest first; new is what a policy with proven runs names and none of them holds.

    A policy with closure also covers what foreign keys led to in its newest proven run.
    """
    policies = list(Policy.objects.filter(environment=environment, enabled=True))
    lines = []
    for table, size in sizes.items():
        names = tuple(p.name for p in policies if _covers(p, table, proofs))
        new = table not in proofs.tables and any(name in proofs.held for name in names)
        lines.append(Covered(table, size, names, proofs.tables.get(table), new))
    return lines


def _covers(policy: Policy, table: str, proofs: Proofs) -> bool:
    led_to = policy.closure and table in proofs.held.get(policy.name, ())
    return led_to or any(matches(pattern, table) for pattern in policy.tables)


def vanished(sizes: dict[str, int], proofs: Proofs) -> list[Vanished]:
    """Tables that the newest proofs held and that are not there any more, with the unproven table most like each."""
    new = [table for table in sizes if table not in proofs.tables]
    return [
        Vanished(table, at, next(iter(get_close_matches(table, new, 1)), ""))
        for table, at in sorted(proofs.tables.items())
        if sizes and table not in sizes
    ]


def sizes_of(environment: Environment) -> tuple[dict[str, int], str]:
    """The live catalogue with sizes, or the reason why it cannot be read."""
    tables, problem = live_tables(environment)
    return {table.name: table.size_bytes for table in tables}, problem


def live_tables(environment: Environment) -> tuple[list[postgres.Listed], str]:
    """Every table that a policy can name, largest first, or the reason why they cannot be read."""
    try:
        with postgres.connect(export_dsn(environment), timeout=5) as connection:
            return postgres.listed_tables(connection), ""
    except Refused as refusal:
        return [], refusal.reason
    except ProviderError as error:
        return [], error.message
    except psycopg.Error as error:
        return [], postgres.explain(error, "Reading the catalogue").message


def kept_outside(environment: Environment) -> list[Kept]:
    """Where everything besides ordinary tables is kept. Raises Refused and ProviderError."""
    with postgres.explained("Reading the catalogue"):
        with postgres.connect(export_dsn(environment), timeout=5) as connection:
            found = read_outside(connection)
    return outside.kept(found, outside.copies_of(environment))


@permission_required("backups.view_run", raise_exception=True)
def page(request: HttpRequest) -> HttpResponse:
    environments = list(Environment.objects.all())
    chosen = page_environment(environments, request.GET.get("environment"))
    sizes, problem = sizes_of(chosen) if chosen else ({}, "There is no environment yet.")
    proofs = newest_proofs(chosen) if chosen else Proofs({}, {})
    lines = covered(chosen, sizes, proofs) if chosen else []
    context = {
        "title": "Coverage",
        "environments": environments,
        "chosen": chosen,
        "problem": problem,
        "lines": lines,
        "vanished": vanished(sizes, proofs),
        "unproven": sum(1 for line in lines if not line.proven),
        "outside": kept_outside(chosen) if chosen and not problem else [],
        "uncovered": [line for line in lines if not line.policies],
    }
    return render_page(request, "admin/backups/coverage.html", context)


def coverage(environment: Environment | None) -> Iterator[Check]:
    """Tables that no policy copies, that came since the newest proof, or that went."""
    for environment_ in Environment.objects.filter(policies__enabled=True).distinct():
        if environment not in (None, environment_) or not known_dsn(environment_, "export"):
            continue
        sizes, problem = sizes_of(environment_)
        proofs = newest_proofs(environment_)
        lines = covered(environment_, sizes, proofs)
        bare = [] if problem else [one for one in kept_outside(environment_) if one.tone == "bad"]
        gaps = [f"{one.topic}: {one.where}" for one in bare]
        gaps += [f"{gone.table} is gone or renamed" for gone in vanished(sizes, proofs)]
        gaps += [f"{line.table} is in no policy" for line in lines if not line.policies]
        gaps += [f"{line.table} is new" for line in lines if line.new]
        why = "A table that no policy names is lost with the database; a renamed one leaves its policy silently."
        state = "; ".join(gaps[:5]) + (f" and {len(gaps) - 5} more" if len(gaps) > 5 else "")
        fix = "Open Backups, Coverage; name it in a policy, say there that it is not wanted, or export now."
        fix = fix if gaps or problem else ""
        tone = "bad" if bare else "warn" if gaps or problem else "ok"
        yield Check(f"{environment_.slug} coverage", tone, state or problem or "every table is in a policy", why, fix)
