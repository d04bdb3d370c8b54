"""Where each thing besides ordinary tables is kept: in this run, in our runs, elsewhere, nowhere (red where wanted).

In: an environment's enabled policies, what Supabase keeps, what the catalogue showed. Out: lines for the pages of
coverage and of a run, home, the doctor, evidence and `sampelit-ops coverage`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from django.db.models import Q

from backups.models import Policy, ProviderBackup, Run
from operations.models import Environment
from operations.models.operation import database_now
from providers import postgres
from providers.postgres.schema.outside import Outside, read_outside

HERE, RUN, ELSEWHERE, NOWHERE = "in this run", "in our runs", "elsewhere", "nowhere"
NOT_WANTED = "not wanted"
TONES = {HERE: "ok", RUN: "ok", ELSEWHERE: "warn", NOWHERE: "bad", NOT_WANTED: "idle"}
FRESH = timedelta(days=3)
FILES = "Storage objects are not in a database backup: copy the buckets themselves."


@dataclass(frozen=True)
class Kept:
    """One topic: where it is, and what that means after a restore. `tone` is bad where it is there, wanted, nowhere."""

    topic: str
    count: int
    where: str
    sentence: str
    names: tuple[str, ...] = ()

    @property
    def tone(self) -> str:
        return TONES[self.where] if self.count else "idle"


@dataclass(frozen=True)
class Copies:
    """`patterns` of the enabled policies; `provider`: Supabase keeps a copy of the database that is fresh.

    `not_wanted`: topics of which a person said that no copy is wanted.
    """

    patterns: tuple[str, ...]
    provider: bool
    not_wanted: frozenset[str] = frozenset()

    @property
    def whole(self) -> bool:
        """Some policy is of whole schemas, so its runs hold what stands beside tables."""
        return any(pattern.endswith("*") for pattern in self.patterns)

    def names(self, tables: Sequence[str]) -> bool:
        return all(any(matches(pattern, table) for pattern in self.patterns) for table in tables)


def matches(pattern: str, table: str) -> bool:
    """Whether a policy's pattern names a table ("users" means public.users)."""
    schema = table.split(".", 1)[0]
    if pattern == "*":
        return schema not in postgres.PLATFORM_SCHEMAS
    return pattern in (table, f"{schema}.*") or f"public.{pattern}" == table


def copies_of(environment: Environment) -> Copies:
    policies = list(Policy.objects.filter(environment=environment, enabled=True))
    patterns = tuple(str(name) for policy in policies for name in policy.tables)
    not_wanted = frozenset(str(topic) for policy in policies for topic in policy.not_wanted)
    since = database_now(-FRESH.total_seconds())
    kept = ProviderBackup.objects.told().filter(environment=environment)
    fresh = kept.filter(Q(taken_at__gte=since) | Q(latest_at__gte=since)).exclude(status="FAILED")
    return Copies(patterns, fresh.exists(), not_wanted)


def kept(found: Sequence[Outside], copies: Copies) -> list[Kept]:
    """Every topic, also those of which nothing is there."""
    return [_kept(item, copies) for item in found]


def _kept(item: Outside, copies: Copies) -> Kept:
    place, words = SPECIAL.get(item.topic, _by_tables)(item, copies)
    if place == NOWHERE and item.topic in copies.not_wanted:
        place, words = NOT_WANTED, "A policy says that no copy of it is wanted."
    return Kept(item.topic, item.count, place, words, item.names)


def seen_at(dsn: str, patterns: Iterable[str], tables: Iterable[str]) -> list[dict[str, object]]:
    """What stands besides ordinary tables while a run of these tables is made; `here`: the run holds it.

    Raises ProviderError and psycopg.Error.
    """
    with postgres.connect(dsn, timeout=5) as connection:
        found = [item for item in read_outside(connection) if item.count]
    own = Copies((*patterns, *tables), provider=False)
    return [{**asdict(item), "here": _kept(item, own).where == RUN} for item in found]


def kept_by(run: Run) -> list[Kept]:
    """The same for one run, of what was there when it was made; empty where nobody looked."""
    if not run.outside:
        return []
    own, all_ = Copies((*run.policy.tables, *run.tables), provider=False), copies_of(run.policy.environment)
    return [_of_run(Outside(o["topic"], o["count"], tuple(o["names"])), o["here"], own, all_) for o in run.outside]


def _of_run(item: Outside, here: bool, own: Copies, all_: Copies) -> Kept:
    line = _kept(item, own if here else all_)
    if here:
        return replace(line, where=HERE)
    if line.where == RUN:
        return replace(line, where=ELSEWHERE, sentence="Not in this run: runs of another policy hold it.")
    return line


def _by_tables(item: Outside, copies: Copies) -> tuple[str, str]:
    if item.names and copies.names(item.names):
        return RUN, "A policy names these tables."
    return _with_the_database(item, copies, "Name them in a policy.")


def _with_the_database(item: Outside, copies: Copies, advice: str) -> tuple[str, str]:
    if copies.provider:
        return ELSEWHERE, f"In Supabase's own copies of the whole database alone. {advice}"
    return NOWHERE, advice


def _definitions(item: Outside, copies: Copies) -> tuple[str, str]:
    if copies.whole:
        return RUN, "Definitions are in runs of whole schemas; a restore says what it could not make."
    return _with_the_database(item, copies, "A policy of whole schemas holds the definitions.")


def _listed(item: Outside, copies: Copies) -> tuple[str, str]:
    if copies.patterns:
        return RUN, "Listed in each run's fingerprint, without passwords; no restore makes them."
    return _with_the_database(item, copies, "Any policy's runs list them.")


def _extension_tables(item: Outside, copies: Copies) -> tuple[str, str]:
    """`*` and `schema.*` leave them out: only a policy that names each has them."""
    exact = Copies(tuple(name for name in copies.patterns if not name.endswith("*")), copies.provider)
    return _by_tables(item, exact)


def _large_objects(item: Outside, copies: Copies) -> tuple[str, str]:
    if copies.whole:
        return RUN, "In runs of whole schemas, as far as the role may read them."
    return _with_the_database(item, copies, "A policy of whole schemas holds them.")


def _files(item: Outside, copies: Copies) -> tuple[str, str]:
    return NOWHERE, FILES


def _foreign(item: Outside, copies: Copies) -> tuple[str, str]:
    return ELSEWHERE, "Their rows lie on another server; a run of whole schemas holds the definitions."


def _only_there(advice: str) -> Callable[[Outside, Copies], tuple[str, str]]:
    return lambda item, copies: _with_the_database(item, copies, advice)


SPECIAL: dict[str, Callable[[Outside, Copies], tuple[str, str]]] = {
    "storage files": _files,
    "vault": _only_there("Secrets are set anew after a restore; keep them where they come from."),
    "cron jobs": _only_there("Keep the script that schedules them: runs know names and times, not commands."),
    "roles": _listed,
    "settings": _listed,
    "large objects": _large_objects,
    "extension tables": _extension_tables,
    "foreign tables": _foreign,
    "publications": _definitions,
    "subscriptions": _definitions,
}
