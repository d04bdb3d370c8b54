"""What each accident of the demo does to the sandbox, and what undoes it; reached by DSN and HTTP only."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from psycopg import sql

from operations.engine.request import request
from operations.models import Environment, Heartbeat
from providers.errors import Refused
from providers.http.api_client import JsonClient
from sampelit_ops.demo import sandbox_database

ENVIRONMENT, SERVICE = "production", "sampelit-api"


AWAY = ".refusing"


Undo = dict[str, str]


FORGE = Path(__file__).parents[2] / "sql" / "forge.sql"


def forge() -> Undo:
    """A conversion that was set gets another value: no hash covers it, the product's own check calls it valid."""
    rows = sandbox_database.run(FORGE.read_text(encoding="utf-8"))
    if not rows:
        raise Refused("The sandbox has no converted decision yet. Nothing was done.")
    _look_by_export("a row was forged")
    return {"id": rows[0][0], "value": rows[0][1]}


def unforge(undo: Undo) -> None:
    sandbox_database.run(
        "UPDATE algorithm_audit_trail SET conversion_value = %s WHERE id = %s", undo["value"], undo["id"]
    )


def drop() -> Undo:
    """A column goes without an operation; the hourly look at the schema is made due. All its rows hold one value."""
    rows = sandbox_database.run("SELECT coalesce(max(updated_at), now())::text FROM subscriptions")
    sandbox_database.run("ALTER TABLE subscriptions DROP COLUMN updated_at")
    _look_at_the_schema()
    return {"value": rows[0][0]}


def undrop(undo: Undo) -> None:
    """It is the last of its table, so it comes back where it was, with the value that it had."""
    column = sql.SQL("ALTER TABLE subscriptions ADD COLUMN updated_at timestamptz NOT NULL DEFAULT {}")
    sandbox_database.run(column.format(sql.Literal(undo["value"])))
    sandbox_database.run("ALTER TABLE subscriptions ALTER COLUMN updated_at SET DEFAULT now()")
    _look_at_the_schema()


def expire() -> Undo:
    """The store refuses to read and to write, as with an expired key: its directory is moved away, a file is there."""
    root = _store()
    if root.is_file():
        raise Refused("The store refuses already. Nothing was done; put it back first.")
    root.rename(root.with_name(root.name + AWAY))
    root.touch(mode=0o000)
    _look_by_export("the store's key expired")
    return {"store": str(root)}


def renew(undo: Undo) -> None:
    root = _store()
    away = root.with_name(root.name + AWAY)
    if away.is_dir() and not root.is_dir():
        root.unlink(missing_ok=True)
        away.rename(root)


def _store() -> Path:
    parts = urlsplit(settings.BACKUP_STORE)
    if parts.scheme != "file" or not settings.DEMO:
        raise Refused("The demo's store is no directory of this machine. Nothing was done.")
    return Path(parts.path)


def fail() -> Undo:
    """The next build of the service fails; what is live stays live."""
    sandbox = _render()
    sandbox.send("POST", "/__sandbox__/fail", body={"service": SERVICE, "phase": "build"})
    sandbox.send("POST", "/__sandbox__/manual", body={"service": SERVICE, "user": "demo@sampelit.example"})
    return {"service": SERVICE}


def _render() -> JsonClient:
    address = urlsplit(settings.RENDER_API_BASE or "")
    if address.hostname not in sandbox_database.HERE:
        raise Refused("Render's API is not the sandbox on this machine. Nothing was done.")
    return JsonClient("The sandbox", f"{address.scheme}://{address.netloc}", "", timeout=(2.0, 5.0))


def _look_by_export(why: str) -> None:
    """The next slot would see it; the demo does not wait for the night."""
    by = User.objects.get(username="operator")
    environment = Environment.objects.get(slug=ENVIRONMENT)
    reason = f"demo: {why}; look now instead of tonight"
    request(
        "backups.export",
        by=by,
        environment=environment,
        parameters={"policy": "audit-trail"},
        reason=reason,
        channel="demo",
    )


def _look_at_the_schema() -> None:
    long_ago = timezone.now() - timedelta(days=1)
    Heartbeat.objects.filter(name="job:migrations_registry.drift").update(beat_at=long_ago)
