"""Secret parameters: sealed to the workers before a row is written, opened in memory by the step that needs them.

In: cleaned parameters. Out: the same with a keyed fingerprint in place of each secret (votes bind it), and one age text
for `Operation.sealed`, which is erased at the end, or after 24 hours by `erase_old`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pyrage
from django.conf import settings

from operations.binding import Bound, bound_to
from operations.engine.kinds import OperationKind
from operations.engine.specs import Parameters
from operations.models import Environment, Operation
from operations.models.operation import database_now
from providers.errors import Refused

MARK = "sealed:"
KEPT_HOURS = 24


def seal(secret_names: list[str], cleaned: dict[str, Any], channel: str = "admin") -> tuple[dict[str, Any], str]:
    """The storable parameters and the sealed text. Raises Refused without a key, or for a secret in a command line."""
    names = [name for name in secret_names if cleaned.get(name)]
    if not names:
        return cleaned, ""
    if channel == "shell":
        raise Refused(
            f"A secret ({', '.join(names)}) on a command line is visible to everybody on that machine. Nothing was "
            "requested. Use the portal's page, or name a variable of the worker."
        )
    if any(str(cleaned[name]).startswith(MARK) for name in names):
        raise Refused(f"The secret ({', '.join(names)}) was erased. Nothing was requested; give it again.")
    secrets = {name: str(cleaned[name]) for name in names}
    sealed = pyrage.encrypt(json.dumps(secrets).encode(), [_recipient()])
    marks = {name: MARK + fingerprint(value) for name, value in secrets.items()}
    return {**cleaned, **marks}, base64.b64encode(sealed).decode()


def fingerprint(value: str) -> str:
    """A keyed fingerprint: equal values compare equal, and nobody can guess a short one from it."""
    return hmac.new(settings.SHARED_KEY.encode(), b"operations.sealed\0" + value.encode(), hashlib.sha256).hexdigest()


def unseal(operation: Operation, name: str) -> str:
    """The secret in clear, for the running step only. Raises Refused where it was erased or does not fit its digest."""
    sealed = Operation.objects.values_list("sealed", flat=True).get(pk=operation.pk)
    if not sealed:
        raise Refused(f"The secret {name} was erased after {KEPT_HOURS} hours. Nothing was changed; request it again.")
    if not settings.OPS_SEAL_IDENTITY:
        raise Refused("This worker has no OPS_SEAL_IDENTITY and cannot open the secret. Nothing was changed.")
    identity = pyrage.x25519.Identity.from_str(settings.OPS_SEAL_IDENTITY)
    try:
        value = str(json.loads(pyrage.decrypt(base64.b64decode(sealed), [identity]))[name])
    except (pyrage.DecryptError, ValueError, KeyError):
        raise Refused("The sealed secret cannot be opened with this worker's key. Nothing was changed.") from None
    if operation.parameters.get(name) != MARK + fingerprint(value):
        raise Refused("The sealed secret is not the one that was asked for. Nothing was changed.")
    return value


def erase_old() -> int:
    """Erase sealed values older than a day, whatever became of their operation; how many rows were written."""
    old = database_now(-3600 * KEPT_HOURS)
    return Operation.objects.filter(requested_at__lt=old).exclude(sealed="").update(sealed="")


def _recipient() -> pyrage.x25519.Recipient:
    try:
        if settings.OPS_SEAL_RECIPIENT:
            return pyrage.x25519.Recipient.from_str(settings.OPS_SEAL_RECIPIENT)
        return pyrage.x25519.Identity.from_str(settings.OPS_SEAL_IDENTITY).to_public()
    except pyrage.RecipientError:
        raise Refused("OPS_SEAL_RECIPIENT is no age recipient. Nothing was requested.") from None
    except pyrage.IdentityError:
        raise Refused(
            "Secrets cannot be taken: OPS_SEAL_RECIPIENT (web) or OPS_SEAL_IDENTITY (workers) is not set. "
            "Nothing was requested."
        ) from None


def content_sha256(
    kind: OperationKind, environment: Environment, parameters: Parameters, bound: Bound | None = None
) -> str:
    """Hex SHA-256 of the canonical JSON of what is asked, where it leads, and `kind.content` (stored SQL, plan, rules).

    `bound`: where it led when it was asked; by default where it leads now.
    """
    asked: dict[str, Any] = {"kind": kind.name, "environment": environment.slug, "parameters": parameters}
    if where := bound_to(environment, kind.connections(parameters)) if bound is None else bound:
        asked["bound"] = where
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode() + b"\0" + kind.content(environment, parameters)).hexdigest()
