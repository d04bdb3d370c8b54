"""The verbs of `ops` with what they mean. Pure: the help shows them before Django is loaded."""

from __future__ import annotations

OF_ONE = {
    "approve": "vote for it (OPS_TOKEN)",
    "reject": "refuse it; one refusal ends the request (OPS_TOKEN)",
    "revoke": "take your vote back until a worker starts (OPS_TOKEN)",
    "cancel": "take the request back, or stop it at its next border",
    "retry": "request the same again",
    "break-glass": "replace the missing votes for 30 minutes, with a reason (OPS_TOKEN)",
    "show": "who asks what and why, what is lost, votes, steps",
}
OTHERS = {
    "request": "ask for an operation; KIND --help tells more",
    "kinds": "every operation that can be requested",
    "list": "the newest operations",
    "token": "personal tokens: list them, or end one; the admin creates them",
    "ledger": "compare what a collector kept with the ledger of now",
}
