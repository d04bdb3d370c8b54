"""What a personal token may be for: four words, and which of them each permission belongs to.

In: a permission (`app.codename`). Out: its scope, by the verb that it begins with. Pure: people's roles decide what
they may at all, a token's scopes decide what of that it carries.
"""

from __future__ import annotations

READ, REQUEST, VOTE, ADMIN = "read", "request", "vote", "admin"
SCOPES = {
    READ: "lists and shows",
    REQUEST: "requests operations, cancels and retries them, acknowledges, accepts drift",
    VOTE: "approves, rejects, takes votes back, breaks the glass, releases holds",
    ADMIN: "changes people, environments, policies and rules",
}
_BY_VERB = {"view": READ, "approve": VOTE, "break": VOTE, "release": VOTE, "add": ADMIN, "change": ADMIN}


def scope_of(permission: str) -> str:
    """The scope that a token needs for an act with this permission."""
    verb = permission.partition(".")[2].partition("_")[0]
    return _BY_VERB.get(verb, REQUEST)


def in_order(scopes: list[str]) -> list[str]:
    """Each once, from the least to the most; whatever a token does, it may also look."""
    return [scope for scope in SCOPES if scope == READ or scope in scopes]
