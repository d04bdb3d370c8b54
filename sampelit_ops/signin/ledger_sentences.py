"""What the timeline says about people, their second factors and their tokens."""

from __future__ import annotations

from ledger.models import Entry
from ledger.registry import sentence

_PLAIN = {
    "signin.signed_in": "{actor} signed in",
    "signin.details_changed": "{actor} changed the name of {subject}",
    "signin.locked": "The sign-in of {subject} was locked after five failures",
    "signin.password_set": "{actor} set a password through a one-time link",
    "signin.second_factor_enrolled": "{actor} enrolled a second factor",
    "signin.recovery_codes_made": "{actor} made new recovery codes",
    "signin.recovery_code_used": "{actor} signed in with a recovery code",
    "signin.second_factor_removed": "{actor} removed the second factor of {subject}",
    "signin.first_admin": "{actor} made {subject} the first admin",
    "signin.link_sent": "{actor} sent {subject} a one-time link",
    "signin.link_shown": "{actor} was shown the one-time link of {subject}: no mail server is set",
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


@sentence("signin.contact_changed")
def _contact_changed(entry: Entry) -> str:
    before, after = entry.payload["before"] or "nothing", entry.payload["after"]
    return f"{entry.actor} changed the address of {entry.subject} from {before} to {after}"


@sentence("signin.tokens_revoked")
def _tokens_revoked(entry: Entry) -> str:
    return f"{entry.actor} revoked the personal tokens of {entry.subject}: {_names(entry.payload['tokens'])}"


@sentence("signin.roles_changed")
def _roles_changed(entry: Entry) -> str:
    before, after = _names(entry.payload["before"]), _names(entry.payload["after"])
    return f"{entry.actor} changed the roles of {entry.subject} from {before} to {after}"


def _names(roles: object) -> str:
    return ", ".join(map(str, roles)) or "no role" if isinstance(roles, list) else str(roles)
