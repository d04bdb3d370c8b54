"""Variables of the environment of which settings are made, rather than read: keys, the database's URL, host names.

Each process holds the keys that its work needs (docs/security.md). Settings out: SHARED_KEY, the variable SECRET_KEY,
which every process holds: fingerprints, and what only SQL must not forge. SECRET_KEY, which signs sessions and links:
where people sign in it is made from both keys, so a worker signs none. FACTOR_KEY seals second factors, AUTHORITY_KEY
signs what votes rest on. Each has fallbacks, earlier ones.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

LOOPBACK = ("127.0.0.1", "localhost")


env = environ.Env()
# A server that is gone without a word is noticed within half a minute (PostgreSQL 17, 34.1.2 Parameter Key Words).
LIMITS = {"connect_timeout": 5, "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}
SCHEMES = ("postgresql://", "postgres://")
SHARED_KEY = env.str("SECRET_KEY", default="")
SHARED_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
FACTOR_KEY = env.str("FACTOR_KEY", default="")  # whoever signs people in; no worker
FACTOR_KEY_FALLBACKS = env.list("FACTOR_KEY_FALLBACKS", default=[])
AUTHORITY_KEY = env.str("AUTHORITY_KEY", default="")  # web, workers and tick; not who loads what others wrote
AUTHORITY_KEY_FALLBACKS = env.list("AUTHORITY_KEY_FALLBACKS", default=[])


def session_key(shared: str, factor: str) -> str:
    """What signs sessions; the shared key where this process signs nobody in."""
    if not shared or not factor:
        return shared
    return hmac.new(factor.encode(), b"sampelit_ops.sessions\0" + shared.encode(), hashlib.sha256).hexdigest()


SECRET_KEY = session_key(SHARED_KEY, FACTOR_KEY)
SECRET_KEY_FALLBACKS = [
    session_key(shared, factor)
    for shared in (SHARED_KEY, *SHARED_KEY_FALLBACKS)
    for factor in (FACTOR_KEY, *FACTOR_KEY_FALLBACKS)
][1:]


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
    config |= {"ENGINE": "sampelit_ops.postgresql", "OPTIONS": options}
    return config | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}


def hosts_of(base_url: str, platform_name: str) -> list[str]:
    """The public address's host, the name that the platform gave, and this machine's own."""
    public = urlsplit(base_url).hostname or ""
    return list(dict.fromkeys(name for name in (public, platform_name, *LOOPBACK) if name))
