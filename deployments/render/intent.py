"""Whose a deploy is: told by what an operation asked for, also after its answer was lost and it was given up.

In: a kind with its parameters, or a deploy that Render lists. Out: whether it is what was asked for; the operation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from deployments.models import Deployment, Service
from operations.models import Operation, Status, Step
from operations.notify import enqueue
from providers.render import Deploy

DEPLOY, ROLLBACK = "deployments.deploy", "deployments.rollback"
LATEST = timedelta(minutes=30)  # after the request was sent
CLOCKS_DIFFER = timedelta(seconds=30)


def is_asked_for(kind: str, parameters: Mapping[str, Any], service: Service, deploy: Deploy) -> bool:
    """Whether this deploy could be what such an operation started."""
    if kind == ROLLBACK:
        target = service.deployments.filter(render_id=parameters["deployment"]).first()
        return deploy.trigger == "rollback" and target is not None and deploy.commit.id in ("", target.commit_sha)
    commit = parameters.get("commit") or ""
    return deploy.trigger in ("api", "") and deploy.commit.id.startswith(commit)


def found_late(service: Service, deploy: Deploy) -> Operation | None:
    """The operation that asked for it and gave it up; people are told, since what was said of it is not true."""
    if deploy.created_at is None or deploy.trigger not in ("api", "rollback"):
        return None
    ended = timezone.now() - timedelta(days=1)
    lost = Operation.objects.filter(status=Status.FAILED, parameters__service=service.render_id, ended_at__gte=ended)
    for operation in lost.filter(kind__in=[DEPLOY, ROLLBACK]).select_related("requested_by").order_by("requested_at"):
        if _was_sent_for(operation, service, deploy):
            _tell(operation, service, deploy)
            return operation
    return None


def _was_sent_for(operation: Operation, service: Service, deploy: Deploy) -> bool:
    sent = Step.objects.filter(operation=operation, name="send").values_list("detail", flat=True).first() or {}
    if not sent.get("asked_at") or sent.get("deploy") or deploy.id in sent.get("known", []):
        return False
    after = (deploy.created_at or timezone.now()) - datetime.fromisoformat(sent["asked_at"])
    in_time = -CLOCKS_DIFFER <= after <= LATEST
    asked = in_time and is_asked_for(operation.kind, operation.parameters, service, deploy)
    return asked and not Deployment.objects.filter(operation=operation).exists()


def _tell(operation: Operation, service: Service, deploy: Deploy) -> None:
    subject = f"{operation} was started after all"
    body = f"Its answer was lost and Render listed it late: {deploy.id}, {deploy.status}. Do not request it again."
    path = reverse("admin:operations_operation_change", args=[operation.pk])
    enqueue(f"found-late:{service.render_id}:{deploy.id}", subject=subject, body=body, path=path)
