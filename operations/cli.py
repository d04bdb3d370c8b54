"""The shell's way to the same services: who acts, what is asked, and which exit code the end means."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.models import User

from ledger import collector_lines, stream
from operations.approvals.break_glass import break_glass
from operations.approvals.voting import approve, reject, revoke, typed_for, why_not_vote
from operations.authority import VOTE
from operations.dsns import environment_named
from operations.engine import kinds
from operations.engine import request as requests
from operations.engine.cancel import cancel, retry
from operations.factors.step_up import StepUpNeeded, prove
from operations.models import Environment, Operation, Status
from operations.models.environment import PORTAL
from operations.serializers import standing
from operations.tokens import use as tokens
from operations.votes.said import GLASS
from providers.errors import Refused

FAILED, REFUSED, WAITING, ENDED_OTHERWISE, TIMED_OUT = 1, 2, 3, 4, 5
EXIT = {"succeeded": 0, "failed": 1, "awaiting_approval": 3, "rejected": 4, "expired": 4, "cancelled": 4}
Result = TypeVar("Result")
LOOK = "operations.view_operation"
VOTES = {"approve": approve, "reject": reject}


def actor(options: dict[str, Any], permission: str, place: Environment | None, *, needs_token: bool = False) -> User:
    """Who acts: the owner of OPS_TOKEN, if it carries this permission there (None: everywhere). Raise Refused.

    In the demo `--as USER` serves as well, for verbs that are no votes.
    """
    if token := os.environ.get("OPS_TOKEN", ""):
        return _owner(token, permission, place)
    name = options.get("actor") or "operator"
    if needs_token or not settings.DEMO:
        raise Refused("This needs your personal token in OPS_TOKEN; nothing was changed. Create one in the admin.")
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise Refused(f"There is no active user {name!r}; nothing was changed.")
    return user


def _owner(clear: str, permission: str, place: Environment | None) -> User:
    owner = tokens.owner(clear)
    if owner is None:
        raise Refused("OPS_TOKEN is unknown, expired or revoked; nothing was changed. Create a new one in the admin.")
    if refusal := owner.token.why_not(permission, place):  # type: ignore[attr-defined]
        raise Refused(f"{refusal} Nothing was changed; create one that does in the admin.")
    return owner


def request(options: dict[str, Any]) -> Operation:
    """Ask for the operation that the options describe."""
    environment, kind = _environment(options["environment"], "nothing was requested"), kinds.get(options["kind"])
    by = actor(options, kind.permission, kind.asked_of(environment))
    asked = {"environment": environment, "parameters": _pairs(options["values"]), "reason": options["reason"]}
    return confirmed(by, options, lambda: requests.request(kind.name, by=by, channel="shell", **asked))


def wait(
    operation: Operation, seconds: float, stop_at_approval: bool, tell: Callable[[str], object] = str
) -> tuple[Operation, int]:
    """The operation as it ended, and the exit code that says how; `tell` gets a line whenever something moved."""
    ended = wait_for_end(operation.pk, seconds, stop_at_approval, tell)
    if ended is None:
        return find(operation.pk), TIMED_OUT
    if ended.status == "succeeded" and not kinds.get(ended.kind).succeeded(ended.result):
        return ended, FAILED
    return ended, EXIT[ended.status]


def act(verb: str, options: dict[str, Any]) -> Operation:
    """approve, reject, revoke, cancel, retry or break-glass one operation."""
    operation = find(options["id"])
    by = actor(options, *_door(verb, operation), needs_token=verb != "cancel")
    if verb == "approve":
        _refuse_untyped(operation, by, options["confirm"])
    return confirmed(by, options, lambda: _act(verb, find(options["id"]), by, options["reason"]))


def _refuse_untyped(operation: Operation, by: User, typed: str) -> None:
    """As on the page: who approves what destroys types its name. Raise Refused."""
    wanted = typed_for(operation)
    if wanted and typed != wanted and not why_not_vote(operation, by):
        with requests.refusals_recorded(operation.kind, by, operation.environment):
            raise Refused(
                f"Read what it destroys (ops show {operation.pk}), then give --confirm {wanted} exactly. "
                "Nothing was changed."
            )


def _act(verb: str, operation: Operation, by: User, reason: str) -> Operation:
    if verb in VOTES:
        return VOTES[verb](operation, by=by, comment=reason, channel="shell")
    if verb == "revoke":
        return revoke(operation, by=by, channel="shell")
    if verb == "break-glass":
        return break_glass(operation, by=by, reason=reason, channel="shell")
    if verb == "retry":
        return retry(operation, by=by, reason=reason, channel="shell")
    return cancel(operation, by=by, reason=reason)


def confirmed(by: User, options: dict[str, Any], act: Callable[[], Result]) -> Result:
    """The act; where it asks for a second factor, once more with the code of --code or of whoever sits there."""
    try:
        return act()
    except StepUpNeeded as asked:
        if asked.binding.by_passkey:
            raise Refused(f"{asked} The shell has no passkey: do it on the portal's page.") from asked
        code = options.get("code") or (input(f"{asked}\nCode: ") if sys.stdin.isatty() else "")
        if not code:
            raise Refused(f"{asked} Give a code of your app or a recovery code with --code.") from asked
        prove(by, asked.binding, code)
        return act()


def _door(verb: str, operation: Operation) -> tuple[str, Environment | None]:
    """The permission and the place that a token must carry for this verb."""
    if verb == "retry":
        kind = kinds.get(operation.kind)
        return kind.permission, kind.asked_of(operation.environment)
    permissions = {"cancel": "operations.cancel_operation", "break-glass": GLASS}
    return permissions.get(verb, VOTE), operation.environment


def find(pk: str) -> Operation:
    return Operation.objects.select_related("environment", "requested_by").get(pk=pk)


def listing(options: dict[str, Any]) -> list[Operation]:
    if options["limit"] < 1:
        raise Refused("--limit is a number from 1; nothing was listed.")
    rows = Operation.objects.select_related("environment", "requested_by")
    if options["environment"]:
        rows = rows.filter(environment=_environment(options["environment"], "nothing was listed"))
    if options["status"]:
        rows = rows.filter(status=options["status"])
    return list(rows.order_by("-requested_at")[: options["limit"]])


def _environment(slug: str, nothing: str) -> Environment:
    return Environment.objects.portal() if slug == PORTAL else environment_named(slug, nothing)


def _pairs(values: list[str]) -> dict[str, str]:
    pairs = {}
    for value in values:
        name, separator, text = value.partition("=")
        if not separator or not name:
            raise Refused(f"--set takes NAME=VALUE, not {value!r}; nothing was requested.")
        pairs[name] = text
    return pairs


def wait_for_end(
    operation_id: str, seconds: float, stop_at_approval: bool = False, tell: Callable[[str], object] = str
) -> Operation | None:
    """Poll until it is terminal (or awaits approval, if asked); None when `seconds` passed first."""
    until, told = time.monotonic() + seconds, ""
    while True:
        operation = Operation.objects.select_related("environment", "requested_by").get(pk=operation_id)
        if (line := standing(operation)) != told:
            told = line
            tell(line)
        if operation.terminal or (stop_at_approval and operation.status == Status.AWAITING_APPROVAL):
            return operation
        if time.monotonic() > until:
            return None
        time.sleep(0.2)


def compared(name: str) -> tuple[int, list[str]]:
    """How many lines of a collector's file (`-`: standard input) there are, and where the ledger differs from them."""
    try:
        with sys.stdin if name == "-" else open(name, encoding="utf-8", errors="replace") as file:
            lines = list(collector_lines.kept(file))
    except OSError as error:
        raise Refused(f"{name} cannot be read ({type(error).__name__}). Nothing was compared.") from None
    except ValueError as error:
        raise Refused(f"{name}: {error}. Nothing was compared; give it the ledger's lines alone.") from None
    return len(lines), stream.compare(lines)
