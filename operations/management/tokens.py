"""`ops token list` and `ops token revoke ID`: one's own tokens, and with --all everybody's (scope admin).

A token is created in the admin alone, where a fresh second factor is asked for: no token makes another one.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from operations import authority, cli
from operations.models import AccessToken
from operations.periodic.clock import database_time
from operations.tokens.ending import revoke
from providers.errors import Refused

MAY = "auth.change_user"


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("action", choices=["list", "revoke"], metavar="list|revoke")
    parser.add_argument("id", nargs="?", type=int, help="the number of the token (revoke)")
    parser.add_argument("--all", action="store_true", help="of everybody (scope admin)")


def act(options: dict[str, Any]) -> list[dict[str, Any]]:
    """The tokens as they are afterwards. Raise Refused."""
    by = cli.actor(options, MAY if options["all"] else cli.LOOK, None)
    known = _known(by, options["all"])
    if options["action"] == "list":
        living = known.filter(revoked_at=None, expires_at__gt=database_time())
        return [_document(row) for row in living]
    row = known.filter(pk=options["id"]).first()
    if row is None or not revoke(row, actor=by.username):
        raise Refused(f"There is no living token {options['id']} here; nothing was changed. See `ops token list`.")
    return [_document(known.get(pk=row.pk))]


def _known(by: User, everybody: bool) -> QuerySet[AccessToken]:
    if everybody and not authority.holds(by, MAY, None):
        raise Refused(f"{by.username} may not see the tokens of others; an Admin may. Nothing was changed.")
    rows = AccessToken.objects.select_related("user", "environment")
    return rows if everybody else rows.filter(user=by)


def _document(row: AccessToken) -> dict[str, Any]:
    return {
        "id": row.pk,
        "owner": row.user.username,
        "name": row.name,
        "state": row.state,
        "scopes": row.scopes,
        "environment": row.environment.slug if row.environment else None,
        "expires_at": row.expires_at.isoformat(),
        "last_used_at": row.last_used_at.isoformat() if row.last_used_at else None,
        "last_used_from": row.last_used_from,
    }


def row(document: dict[str, Any]) -> tuple[object, ...]:
    """Its cells in the shell's table."""
    place = f" on {document['environment']}" if document["environment"] else ""
    used = f"used {document['last_used_at'][:16]} from {document['last_used_from']}" if document["last_used_at"] else ""
    names = ("id", "owner", "name", "state")
    scopes, until = ", ".join(document["scopes"]) + place, f"until {document['expires_at'][:10]}"
    return (*(document[name] for name in names), scopes, until, used or "never used")
