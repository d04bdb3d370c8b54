"""The portal's own database from DATABASE_URL. In: the URL. Out: Django's settings for it, or what is wrong with it."""

from __future__ import annotations

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

# A server that is gone without a word is noticed within half a minute (PostgreSQL 17, 34.1.2 Parameter Key Words).
LIMITS = {"connect_timeout": 5, "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}
SCHEMES = ("postgresql://", "postgres://")


def portal_database(url: str) -> dict[str, Any]:
    """One entry of DATABASES. Raises ImproperlyConfigured, which never repeats the URL: it holds a password."""
    try:
        config: dict[str, Any] = environ.Env.db_url_config(url) if url.startswith(SCHEMES) else {}
    except ValueError:  # a password with / or # in it looks like a port
        config = {}
    if not config.get("NAME"):
        raise ImproperlyConfigured(
            "DATABASE_URL is not a PostgreSQL URL with a database's name. Nothing was done. Set it to "
            "postgresql://role:password@host:5432/database, with special characters percent-encoded."
        )
    options = LIMITS | config.get("OPTIONS", {})
    return config | {"OPTIONS": options, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
