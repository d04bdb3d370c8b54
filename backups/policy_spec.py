"""What to copy: a policy as a value, read from a TOML file or from a Policy row. No Django, no providers."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

AUDIT_TABLES = (
    "algorithm_audit_trail",
    "assignments",
    "element_variants",
    "experiment_elements",
    "experiments",
    "users",
)
# Of the portal's own database: what is worth nothing elsewhere (sessions, throttles, the queue, signs of life).
PORTAL_WITHOUT_ROWS = (
    "public.axes_accessattempt",
    "public.axes_accessattemptexpiration",
    "public.axes_accessfailurelog",
    "public.axes_accesslog",
    "public.django_q_ormq",
    "public.django_q_schedule",
    "public.django_q_task",
    "public.django_session",
    "public.operations_heartbeat",
    "public.operations_sentform",
    "public.sampelit_ops_session",
)
FORMATS = ("auto", "csv", "binary")
_NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,62}$")
RESTORE_POINT = "before-[0-9a-z]{26}"  # made by migrations.apply, named after its operation


class PolicyError(ValueError):
    """The file is not a policy; the message names the key and what it accepts."""


@dataclass(frozen=True)
class PolicySpec:
    """`closure` adds every table that foreign keys lead to; `auto` is CSV for the audit set and binary elsewhere.

    Of `without_rows` (schema.table) only the structure is copied.
    """

    name: str
    environment: str
    tables: tuple[str, ...]
    format: str = "auto"
    recipients: tuple[str, ...] = ()
    closure: bool = False
    without_rows: tuple[str, ...] = ()

    def format_of(self, table: str, binary_io: bool) -> str:
        wanted = self.format
        if wanted == "auto":
            wanted = "csv" if table in AUDIT_TABLES else "binary"
        return wanted if binary_io else "csv"

    @property
    def variable(self) -> str:
        return export_variable(self.environment)

    @property
    def by_a_person(self) -> bool:
        """A restore point names what a change reaches: there an empty table is no sign of hidden rows."""
        return not is_restore_point(self.name)


def is_restore_point(name: str) -> bool:
    """Whether a policy of this name was made by an operation that destroys something."""
    return re.fullmatch(RESTORE_POINT, name) is not None


def policy_title(name: str) -> str:
    """For people, where its row is not at hand: no restore point is called by its operation's id."""
    return "a restore point" if is_restore_point(name) else name


def run_name(policy: str, at: datetime, environment: str = "") -> str:
    """A run as people call it everywhere: its policy, when it began (UTC), and where, unless that is said already."""
    return f"{policy_title(policy)}{f' on {environment}' if environment else ''} ({at:%Y-%m-%d %H:%M} UTC)"


def export_variable(environment: str) -> str:
    return f"SAMPELIT_{environment.upper().replace('-', '_')}_EXPORT_DSN"


MOST_TEXT, MOST_LINE = 65_536, 2_048  # the parser's time grows with the square of a dotted key


def read_toml(text: str) -> PolicySpec:
    """Raises PolicyError for anything but {name, environment, tables[], format, recipients[], closure}."""
    if len(text) > MOST_TEXT or max(map(len, text.splitlines()), default=0) > MOST_LINE:
        raise PolicyError(f"The policy is longer than {MOST_TEXT} characters, or a line of it than {MOST_LINE}.")
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"The policy is not TOML: {error}.") from None
    unknown = sorted(set(values) - {"name", "environment", "tables", "format", "recipients", "closure"})
    if unknown:
        raise PolicyError(f"The policy has unknown keys: {', '.join(unknown)}.")
    return PolicySpec(
        name=_slug(values, "name"),
        environment=_slug(values, "environment"),
        tables=_texts(values, "tables", required=True),
        format=_format(values),
        recipients=_texts(values, "recipients"),
        closure=bool(values.get("closure", False)),
    )


def _slug(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    if not isinstance(value, str) or not _NAME.match(value):
        raise PolicyError(f"The policy's {key} must be a text of lower-case letters, digits and hyphens.")
    return value


def _texts(values: Mapping[str, Any], key: str, required: bool = False) -> tuple[str, ...]:
    value = values.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise PolicyError(f"The policy's {key} must be a list of texts.")
    if required and not value:
        raise PolicyError(f"The policy's {key} is empty: name at least one table.")
    return tuple(value)


def _format(values: Mapping[str, Any]) -> str:
    value = values.get("format", "auto")
    if value not in FORMATS:
        raise PolicyError(f"The policy's format must be one of {', '.join(FORMATS)}.")
    return str(value)


FLOOR = 3


POINT_DAYS = 90


@dataclass(frozen=True)
class Rule:
    """How many to keep of each generation, and for how many days runs that were never proven.

    `point_days` is set for restore points alone: they have no generations, but days after the end of their operation.
    """

    last: int = 24
    daily: int = 14
    weekly: int = 8
    monthly: int = 12
    yearly: int = 7
    unproven_days: int = 30
    zone: str = "UTC"
    point_days: int = 0
