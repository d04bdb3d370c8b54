"""The roles that the Connect page prints, made in a copy of the product's database, with its variables leading to them.

In: the copy's administrator. Out: the copy's name, while the roles are there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from sampelit_ops.views.connect import roles_sql
from tests import portal_database

ROLES = ("sampelit_ops_export", "sampelit_ops_migration", "sampelit_ops_restore")


@contextmanager
def printed_roles(admin_dsn: str, patch: pytest.MonkeyPatch) -> Iterator[str]:
    name = str(psycopg.conninfo.conninfo_to_dict(admin_dsn)["dbname"])
    text = re.sub(r"\bpostgres\b", "sampelit_owner", roles_sql().replace("DATABASE postgres", f'DATABASE "{name}"'))
    with psycopg.connect(admin_dsn, autocommit=True) as admin:
        admin.execute(re.sub(r"PASSWORD-\d", portal_database.server.password, text).encode())
        for role in ROLES:
            dsn = psycopg.conninfo.make_conninfo(admin_dsn, user=role)
            patch.setenv(f"SAMPELIT_PRODUCTION_{role.rpartition('_')[2].upper()}_DSN", dsn)
        yield name
        for role in ROLES:
            admin.execute(f"DROP OWNED BY {role}".encode())
            admin.execute(f"DROP ROLE {role}".encode())
