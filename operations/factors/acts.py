"""The grave acts: each needs a second factor that was shown for exactly this act, object and content.

In: nothing. Out: the names that `step_up.spend` knows, with the words of the page. A kind of operation with `step_up`
is such an act when it is asked for, and so is every vote for it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from operations.models import Operation

ACTS = {
    "operations.approve": "Approve",
    "operations.reject": "Refuse",
    "operations.revoke": "Take the vote back for",
    "operations.cancel": "Cancel",
    "operations.review": "Close the review",
    "operations.break_glass": "Break the glass for",
    "operations.request": "Request",
    "operations.confirm_approver": "Let the votes count at once of",
    "backups.policy": "Change the backup policy",
    "backups.accept_database": "Accept another database for the policy",
    "deployments.service": "Change what watches the service",
    "migrations.accept_drift": "Accept the changed schema of",
    "migrations.agree_waiver": "Agree to the waiver of",
    "migrations.waive_rehearsal": "Let people vote although the rehearsal failed of",
    "outsiders.attest": "Attest who could pass by the portal:",
    "signin.invite": "Invite",
    "signin.roles": "Change the roles of",
    "signin.activate": "Activate",
    "signin.deactivate": "Deactivate",
    "signin.contact": "Send the one-time links elsewhere of",
    "signin.start_over": "Start the sign-in over of",
    "signin.token": "Make the personal token",
    "signin.factor": "Change the second factors of",
    "signin.recovery_codes": "Make new recovery codes for",
}


@dataclass(frozen=True)
class Binding:
    """What exactly a factor is shown for; `digest` stands for the content that the page shows.

    `by_passkey`: it counts only with a passkey's signature, so no code will do.
    """

    act: str
    subject: str
    digest: str
    by_passkey: bool = False

    def sha256(self, username: str) -> str:
        return digest_of(username, self.act, self.subject, self.digest)

    def __str__(self) -> str:
        return f"{ACTS[self.act]} {self.subject}"


def about(act: str, operation: Operation, *, by_passkey: bool = False) -> Binding:
    """The act on exactly this operation, with what it will do."""
    subject = f"{operation} on {operation.environment.slug} ({operation.pk})"
    return Binding(act, subject, operation.content_sha256, by_passkey)


def asked(operation: Operation) -> Binding:
    """The request of what this row says; whoever asks again after a second factor makes another row."""
    subject = f"{operation.kind} {operation.subject}".strip()
    return Binding("operations.request", f"{subject} on {operation.environment.slug}", operation.content_sha256)


def digest_of(*content: object) -> str:
    """Hex SHA-256 of the canonical JSON of what is agreed to."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
