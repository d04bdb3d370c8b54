"""What the timeline says about people, their second factors and their tokens: one template for each action code."""

from __future__ import annotations

import re

from ledger import registry
from operations.factors.acts import ACTS

ULID = re.compile(r" \([0-9A-Z]{26}\)")
SENTENCES = {
    "signin.signed_in": "{actor} signed in{with_device}",
    "signin.signed_out": "{actor} signed out",
    "signin.sessions_ended": "{actor} ended the sessions of {subject} ({device_names}){why_so}",
    "signin.provisioned": "{actor} made the account of {subject}, whom {issuer} signed in for the first time",
    "signin.identity_linked": "{actor} linked their account to an identity of {issuer}",
    "signin.groups_stale": "{actor} ended what {subject} held: no sign-in told of their groups for {days:day}",
    "signin.details_changed": "{actor} changed the name of {subject}",
    "signin.contact_changed": "{actor} changed the address of {subject} from {address_before} to {after}",
    "signin.locked": "The sign-in of {subject} was locked after five failures",
    "signin.password_set": "{actor} set a password through a one-time link",
    "signin.password_changed": "{actor} changed their password",
    "signin.second_factor_enrolled": "{actor} enrolled a second factor",
    "signin.passkey_added": "{actor} enrolled the passkey {subject}",
    "signin.passkey_renamed": "{actor} renamed the passkey {before} to {subject}",
    "signin.passkey_known": "The passkey {subject} of {actor} was written down: what it signs counts a day later",
    "signin.passkey_removed": "{actor} removed the passkey {subject}",
    "signin.passkey_copied": "The passkey {subject} of {actor} signed less often than before and was refused",
    "signin.app_removed": "{actor} removed their authenticator app",
    "signin.second_factor_removed": "{actor} removed the second factor of {subject}",
    "signin.stepped_up": "{actor} showed a second factor ({method}) to {act_words} {shown_for}",
    "signin.recovery_codes_made": "{actor} made new recovery codes",
    "signin.recovery_code_used": "{actor} signed in with a recovery code",
    "signin.first_admin": "{actor} made {subject} the first admin",
    "signin.invited": "{actor} invited {subject} as {role_names}",
    "signin.role_given": "{actor} made {subject} {role_name}",
    "signin.role_taken": "{actor} took from {subject}: {role_name}",
    "signin.roles_changed": "{actor} changed the roles of {subject} from {roles_before} to {roles_after}",
    "signin.link_sent": "{actor} sent {subject} a one-time link",
    "signin.link_shown": "{actor} was shown the one-time link of {subject}: no mail server is set",
    "signin.user_deactivated": "{actor} deactivated {subject}",
    "signin.user_activated": "{actor} activated {subject}",
    "signin.token_created": "{actor} created the personal token {subject}{for_scopes}",
    "signin.token_used": "{actor} used the personal token {subject} from {address}, where it was never used",
    "signin.token_revoked": "{actor} revoked the personal token {subject}{of_owner}{why_so}",
    "signin.tokens_revoked": "{actor} revoked the personal tokens of {subject}: {token_names}{why_so}",
    "ledger.exported": "{actor} exported the timeline",
    "ledger.verified": "{actor} had every hash of the ledger recomputed",
}


def register() -> None:
    registry.sentences(SENTENCES, PHRASES)


def _names(key: str) -> registry.Phrase:
    def names(facts: registry.Facts) -> str:
        listed = facts[key]
        return ", ".join(map(str, listed)) or "no role" if isinstance(listed, list) else str(listed)

    return names


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def _role(facts: registry.Facts) -> str:
    where = facts["environment"]
    return f"{facts['role']} on {where}" if where else f"{facts['role']} everywhere"


def _for_scopes(facts: registry.Facts) -> str:
    """`, for read and vote on staging`; entries from before scopes say nothing."""
    scopes = facts.get("scopes")
    where = f" on {facts['environment']}" if facts["environment"] else ""
    return f", for {', '.join(map(str, scopes))}{where}" if isinstance(scopes, list) else ""


PHRASES = {
    "shown_for": lambda facts: ULID.sub("", str(facts["subject"])),
    "act_words": lambda facts: _lower(ACTS.get(str(facts["act"]), str(facts["act"]))),
    "role_name": _role,
    "address_before": lambda facts: facts["before"] or "nothing",
    "role_names": _names("roles"),
    "roles_before": _names("before"),
    "roles_after": _names("after"),
    "token_names": _names("tokens"),
    "device_names": _names("devices"),
    "with_device": lambda facts: f" with {facts['device']} from {facts['address']}" if facts.get("device") else "",
    "for_scopes": _for_scopes,
    "of_owner": lambda facts: f" of {facts['owner']}" if facts.get("owner") else "",
    "why_so": lambda facts: f" because {facts['why']}" if facts.get("why") else "",
}
