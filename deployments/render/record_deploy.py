"""The one door through which Render's truth becomes rows: a deploy comes in, a row moves, the ledger says so.

Newer word counts in whatever order it comes; an older one, or one without a time, moves no row back. An unknown status
is kept, and nothing is written when nothing changed.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction

from deployments.models import Deployment, Service
from deployments.models.deployment import FAILED, GONE, TRANSITIONS, Status
from deployments.render.word import differs, facts, is_another
from ledger.services import record
from operations.accounts import RENDER
from operations.models import Operation
from operations.navigation import page_of
from operations.notify import enqueue
from operations.periodic.gone import found, not_found
from providers.render import Deploy

ENTRY = {Status.LIVE: "live", Status.CANCELED: "canceled"} | dict.fromkeys(FAILED, "failed")


def observe(
    service: Service,
    deploy: Deploy,
    row: Deployment | None = None,
    *,
    actor: str = "",
    operation: Operation | None = None,
    by_id: bool = False,
) -> bool:
    """Bring the row of one deploy up to Render's truth, with its ledger entry; True where something changed.

    `by_id`: Render was asked for just this one, so it counts also where it is not newer than what is known."""
    row = row or service.deployments.filter(render_id=deploy.id).first()
    with transaction.atomic():
        if row is None:
            row = Deployment(service=service, render_id=deploy.id, **facts(deploy))
            attribute(row, actor, operation)
            if _inserted(row):
                _say(row, "started" if row.moving else ENTRY.get(Status(row.status), "started"))
                return True
            row = service.deployments.get(render_id=deploy.id)
        found(row)
        changed = _adopted(row, operation)
        return _moved(row, deploy, by_id) or changed


def _inserted(row: Deployment) -> bool:
    """False where another process was first."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        row.pk = None
        return False
    return True


def attribute(row: Deployment, actor: str, operation: Operation | None) -> None:
    """Who did it: our operation, else Render's event, else outside the portal."""
    if operation is not None:
        row.operation, row.actor = operation, operation.requested_by.get_username()
        row.actor_source = Deployment.Source.OPERATION
    elif actor:
        row.actor, row.actor_source = actor[:200], Deployment.Source.EVENT


def _adopted(row: Deployment, operation: Operation | None) -> bool:
    if operation is None or row.operation_id == operation.pk:
        return False
    attribute(row, "", operation)
    row.save(update_fields=["operation", "actor", "actor_source"])
    return True


def _moved(row: Deployment, deploy: Deploy, by_id: bool = False) -> bool:
    if not differs(row, deploy, by_id):
        return False
    ran = row.short if is_another(row, deploy) else ""
    before, new = row.status, {key: value for key, value in facts(deploy).items() if value is not None}
    target = new.pop("status")
    new.pop("created_at")
    if not Deployment.objects.advance(row.pk, before, target, **new):
        return False
    row.refresh_from_db()
    if ran:
        _note(row, "another_content", before=ran)
    if target != before and target not in TRANSITIONS[Status(before)]:
        _note(row, "odd_order", before=before, status=row.provider_status)
    elif target != before and Status(target) in ENTRY:
        _say(row, ENTRY[Status(target)])
    return True


def vanished(row: Deployment) -> bool:
    """Render answered 404 for a deploy: at the second one it is kept as superseded and gone. Whether it was."""
    if not not_found(row):
        return False
    was = row.status
    with transaction.atomic():
        if not Deployment.objects.advance(row.pk, row.status, Status.DEACTIVATED, provider_status=GONE):
            return False
        _note(row, "deploy_gone")
        if was == Status.LIVE:
            subject, body = f"Render no longer knows {row}, which was live", "Look there at what is live now."
            key = f"deploy-gone:{row.service_id}:{row.render_id}"
            enqueue(key, subject=subject, body=body, path=page_of(row), about=row.service.environment)
    return True


def _note(row: Deployment, what: str, **more: str) -> None:
    data = {"service": row.service.name, "deploy": row.render_id, "commit": row.commit_sha, "title": row.title}
    record(
        f"deployments.{what}",
        actor=RENDER,
        environment=row.service.environment_slug,
        subject=f"{row.service.name} {row.short}"[:200],
        data=data | more,
        seeded=row.seeded,
    )


def _say(row: Deployment, what: str) -> None:
    if what == "failed" and not row.seeded:
        subject = f"{row.service.name}: deployment of {row.short} failed"
        body = f"{row.word}. What was live stays live. “{row.title}”, {row.who}."
        path = page_of(row)
        key, place = f"deploy-failed:{row.service_id}:{row.render_id}", row.service.environment
        enqueue(key, subject=subject, body=body, path=path, about=place, service=row.service.name)
    seconds = int(row.duration.total_seconds()) if row.duration else None
    record(
        f"deployments.{what}",
        actor=row.who,
        environment=row.service.environment_slug,
        subject=f"{row.service.name} {row.short}"[:200],
        data={
            "service": row.service.name,
            "deploy": row.render_id,
            "commit": row.commit_sha,
            "title": row.title,
            "trigger": row.trigger,
            "status": row.provider_status,
            "seconds": seconds,
            "operation": row.operation_id or "",
            "who": row.actor_source,
        },
        seeded=row.seeded,
    )
