"""The portal's own role as in production: it owns nothing. Django's connection can become it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from django.db import connection

from ledger import app_role

PASSWORD = "app-password"


@contextmanager
def made() -> Iterator[str]:
    """A new role with exactly the grants; gone afterwards."""
    name = f"app_{uuid4().hex[:12]}"
    app_role.grant(name, PASSWORD)
    yield name
    with connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


@contextmanager
def connected_as(role: str) -> Iterator[str]:
    owner = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD")}
    connection.close()
    connection.settings_dict.update(USER=role, PASSWORD=PASSWORD)
    yield role
    connection.close()
    connection.settings_dict.update(owner)
