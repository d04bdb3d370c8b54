"""The DSN of an environment: the one place that reads the variables which hold connection strings.

In: an environment and what is wanted of it. Out: a DSN of this process, or Refused naming the variable, what was not
done and what to do. `known_dsn` is for those who only want to know whether it is there.
"""

from __future__ import annotations

import os

from operations.models import Environment
from providers.errors import Refused


def known_dsn(environment: Environment, purpose: str) -> str:
    """The DSN for `export`, `migration` or `restore`; empty where its variable is not set in this process."""
    return os.environ.get(environment.variable(purpose), "")


def dsn_from(variable: str, role: str, undone: str) -> str:
    """The DSN in a variable. Raises Refused, saying that nothing was `undone` (read, written, changed)."""
    dsn = os.environ.get(variable, "")
    if not dsn:
        raise Refused(
            f"{variable} is not set in this process. Nothing was {undone}. "
            f"Set it to the DSN of {role}, then ask for it again."
        )
    return dsn


def export_dsn(environment: Environment) -> str:
    """The read-only role's DSN. Raises Refused."""
    return dsn_from(environment.variable("export"), f"{environment}'s read-only role", "read")


def migration_dsn(environment: Environment) -> str:
    """The DSN of the role that changes the schema. Raises Refused."""
    return dsn_from(environment.variable("migration"), f"{environment}'s migration role", "changed")


def restore_dsn(environment: Environment) -> str:
    """The DSN of the role that writes rows back. Raises Refused."""
    return dsn_from(environment.variable("restore"), f"{environment}'s restore role", "written")


def reading_dsn(environment: Environment) -> str:
    """Whichever role this process has to look at the schema with: migration first, else read-only. Raises Refused."""
    dsn = known_dsn(environment, "migration") or known_dsn(environment, "export")
    if not dsn:
        raise Refused(
            f"Neither {environment.variable('migration')} nor {environment.variable('export')} is set in this process. "
            f"Nothing was read. Set one to the DSN of {environment}'s role, then ask for it again."
        )
    return dsn


def environment_named(slug: str) -> Environment:
    """Raises Refused for a name nobody knows."""
    environment = Environment.objects.filter(slug=slug).first()
    if environment is None:
        known = ", ".join(Environment.objects.values_list("slug", flat=True)) or "none yet"
        raise Refused(f"There is no environment {slug}. Nothing was read. Known: {known}.")
    return environment
