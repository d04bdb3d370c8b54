"""What the timeline says about people, their second factors and their tokens."""

from __future__ import annotations

from ledger.models import Entry
from ledger.registry import sentence

_PLAIN = {
    "signin.signed_in": "{actor} signed in",
    "signin.details_changed": "{actor} changed name or address of {subject}",
    "signin.locked": "The sign-in of {subject} was locked after five failures",
    "signin.password_set": "{actor} set a password through a one-time link",
    "signin.second_factor_enrolled": "{actor} enrolled a second factor",
    "signin.recovery_codes_made": "{actor} made new recovery codes",
    "signin.recovery_code_used": "{actor} signed in with a recovery code",
    "signin.second_factor_removed": "{actor} removed the second factor of {subject}",
    "signin.first_admin": "{actor} made {subject} the first admin",
    "signin.link_sent": "{actor} sent {subject} a new one-time link",
    "signin.user_deactivated": "{actor} deactivated {subject}",
    "signin.user_activated": "{actor} activated {subject}",
    "signin.token_created": "{actor} created the personal token {subject}",
    "signin.token_revoked": "{actor} revoked the personal token {subject}",
    "ledger.exported": "{actor} exported the timeline",
    "ledger.verified": "{actor} had every hash of the ledger recomputed",
}


def _say(entry: Entry) -> str:
    return _PLAIN[entry.code].format(actor=entry.actor, subject=entry.subject)


for _code in _PLAIN:
    sentence(_code)(_say)


@sentence("signin.invited")
def _invited(entry: Entry) -> str:
    return f"{entry.actor} invited {entry.subject} as {_names(entry.payload['roles'])}"


@sentence("signin.roles_changed")
def _roles_changed(entry: Entry) -> str:
    before, after = _names(entry.payload["before"]), _names(entry.payload["after"])
    return f"{entry.actor} changed the roles of {entry.subject} from {before} to {after}"


def _names(roles: object) -> str:
    return ", ".join(map(str, roles)) or "no role" if isinstance(roles, list) else str(roles)
