"""A person asks: check, digest, store operation and steps, write the ledger, wake a worker or the approvers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django_otp import user_has_device

from ledger.authenticity import demand
from ledger.services import record
from operations.accounts import is_machine
from operations.binding import bound_to, identify, refuse_frozen
from operations.engine import kinds, specs
from operations.engine.deciding import deciding
from operations.engine.sealing import content_sha256, seal
from operations.engine.wakeup import wake
from operations.engine.wording import said
from operations.factors.acts import asked
from operations.factors.step_up import spend
from operations.models import Environment, Operation, Risk, Status, Step
from operations.periodic.clock import database_time
from operations.votes.asked import REQUESTED
from providers.errors import Refused
from providers.redact import redact


def prepare(
    kind: kinds.OperationKind, environment: Environment, given: specs.Parameters, *, waits: bool = False
) -> specs.Parameters:
    """The cleaned parameters, after every rule that can already speak; raise Refused.

    `waits`: rules may first look outside, which a page has no time for.
    """
    unknown = set(given) - {parameter.name for parameter in kind.parameters}
    if unknown:
        raise Refused(f"{kind.name} does not know {', '.join(sorted(unknown))}. Nothing was requested.")
    required = (parameter.name for parameter in kind.parameters if parameter.required)
    missing = [name for name in required if given.get(name) in (None, "")]
    if missing:
        raise Refused(f"{kind.name} needs {', '.join(missing)}. Nothing was requested; give every value.")
    _refuse_secrets(kind, given)
    identify(environment, kind.connections(given))
    if not kind.allowed_in_freeze:
        refuse_frozen(environment)
    cleaned = kind.clean(environment, {k: v for k, v in given.items() if v not in (None, "")})
    if waits:
        kinds.look_outside(kind.name, environment, cleaned)
    for check in kinds.registry.guards.get(kind.name, []):
        check(environment, cleaned)
    return cleaned


def _refuse_secrets(kind: kinds.OperationKind, given: specs.Parameters) -> None:
    """Plain parameters are stored, shown and hashed for ever; a credential among them is refused."""
    plain = [parameter.name for parameter in kind.parameters if not parameter.secret]
    bad = [name for name in plain if isinstance(given.get(name), str) and redact(given[name]) != given[name]]
    if bad:
        raise Refused(
            f"{', '.join(bad)} holds what looks like a secret. Nothing was requested; name the variable that holds it."
        )


def request(
    name: str,
    *,
    by: User,
    environment: Environment,
    parameters: specs.Parameters,
    reason: str = "",
    channel: str = "admin",
    at: datetime | None = None,
    retry_of: Operation | None = None,
    seeded: bool = False,
) -> Operation:
    """Ask for an operation; it is queued, or awaits approval. Raise Refused or PermissionDenied (both are recorded)."""
    if (at or seeded) and not settings.DEMO:
        raise Refused("Only the demo may say when something happened. Nothing was requested.")
    with refusals_recorded(name, by, environment):
        if not is_machine(by):
            demand()
        kind = kinds.get(name)
        check_permission(kind, by, environment)
        if kind.needs_reason and not reason.strip():
            raise Refused(f"{kind.name} needs a reason. Nothing was requested; say why.")
        reason = said(reason)
        cleaned = prepare(kind, environment, parameters, waits=channel != "admin")
        for place in kind.reaches(environment, cleaned):
            check_permission(kind, by, place)
        stored, sealed = seal(kind.secrets(), cleaned, channel)
        check_device(kind, kind.assess(environment, stored), by)
        with transaction.atomic():
            operation = _insert(kind, by, environment, stored, at or database_time(), seeded)
            why = {"reason": reason, "channel": channel}
            Operation.objects.filter(pk=operation.pk).update(retry_of=retry_of, sealed=sealed, **why)
            operation.refresh_from_db()
            if kind.step_up and not seeded:
                spend(by.username, asked(operation))
            if operation.status == Status.QUEUED and not seeded:
                wake(operation)
            record_about(operation, REQUESTED, actor=by.username, at=at, content_sha256=operation.content_sha256, **why)
    return operation


def check_permission(kind: kinds.OperationKind, by: User, environment: Environment | None) -> None:
    """Raise PermissionDenied unless this person may ask for this kind there."""
    if refusal := kind.why_not(by, environment, f"{by.username} may not request {kind.name}."):
        raise PermissionDenied(f"{refusal} Nothing was requested.")


def check_device(kind: kinds.OperationKind, risk: str, by: User) -> None:
    """Outside the demo a destructive act needs a person with a second factor; the portal's own account needs none."""
    if settings.DEMO or not (kind.needs_device or risk == Risk.DESTRUCTIVE) or is_machine(by):
        return
    if not user_has_device(by):
        raise PermissionDenied(
            f"{kind.name} is {risk}: {by.username} must enrol a second factor first. Nothing was requested."
        )


@contextmanager
def refusals_recorded(name: str, by: User, environment: Environment | None) -> Iterator[None]:
    """Write a refusal into the ledger in a transaction of its own, after whatever was rolled back."""
    try:
        yield
    except (Refused, PermissionDenied) as refusal:
        with transaction.atomic():
            record(
                "operations.refused",
                actor=by.username,
                environment=environment.slug if environment else "",
                subject=name[:80],
                data={"reason": str(refusal)},
            )
        raise


def record_about(operation: Operation, code: str, *, actor: str, at: datetime | None = None, **data: Any) -> None:
    """One ledger entry about this operation; call it last in its transaction."""
    record(
        code,
        actor=actor,
        environment=operation.environment.slug,
        subject=operation.pk,
        data={"kind": operation.kind, "about": operation.subject, **data},
        at=at,
        seeded=operation.seeded,
    )


def _insert(
    kind: kinds.OperationKind, by: User, environment: Environment, cleaned: specs.Parameters, at: datetime, seeded: bool
) -> Operation:
    environment = Environment.objects.get(pk=environment.pk)  # not as it was when the caller read it
    risk = kind.assess(environment, cleaned)
    votes = deciding(kind, environment, cleaned, risk).votes(risk)
    steps = kind.resolved_steps(cleaned)
    bound = bound_to(environment, kind.connections(cleaned))
    operation = Operation.objects.create(
        kind=kind.name,
        environment=environment,
        subject=kind.describe(cleaned)[:300],
        parameters=cleaned,
        content_sha256=content_sha256(kind, environment, cleaned, bound),
        bound=bound,
        risk=risk,
        approvals_required=votes,
        requested_by=by,
        requested_at=at,
        expires_at=at + timedelta(hours=settings.OPS_REQUEST_TTL_HOURS),
        status=Status.AWAITING_APPROVAL if votes else Status.QUEUED,
        exclusive_key=kind.exclusive_key(environment, cleaned),
        pool=steps[0].pool,
        seeded=seeded,
    )
    Step.objects.bulk_create(
        Step(operation=operation, position=position, name=spec.name, pool=spec.pool, always=spec.always)
        for position, spec in enumerate(steps)
    )
    return operation
