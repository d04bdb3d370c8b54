"""Whose a deploy is, where the answer to our request was lost: told by what was asked for and by Render's word of who.

In: a kind with its parameters, deploys that Render lists, its events. Out: the one that is ours, or none: a deploy that
somebody else started in the same seconds looks the same, and where two fit, neither is taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from deployments.models import Deployment, Service
from deployments.render.listed import started_by
from operations.models import Operation, Status, Step
from operations.navigation import page_of
from operations.notify import enqueue
from operations.periodic.clock import database_time
from providers.errors import ProviderError
from providers.render import Deploy, Render

DEPLOY, ROLLBACK = "deployments.deploy", "deployments.rollback"
LATEST = timedelta(minutes=30)  # after the request was sent
ALONE_LOOKS = 3
CLOCKS_DIFFER = timedelta(seconds=30)


def is_asked_for(kind: str, parameters: Mapping[str, Any], service: Service, deploy: Deploy) -> bool:
    """Whether this deploy could be what such an operation started."""
    if kind == ROLLBACK:
        target = service.deployments.filter(render_id=parameters["deployment"]).first()
        return deploy.trigger == "rollback" and target is not None and deploy.commit.id in ("", target.commit_sha)
    commit = parameters.get("commit") or ""
    return deploy.trigger in ("api", "") and deploy.commit.id.startswith(commit)


def not_others(api: Render, deploys: Sequence[Deploy], users: Mapping[str, str]) -> list[Deploy]:
    """Those that Render names nobody for, or us; only the latter where there are any. `users` is by deploy id."""
    named = {deploy.id: user for deploy in deploys if "@" in (user := users.get(deploy.id, ""))}
    us = api.owners.me().casefold() if named else ""
    confirmed = [deploy for deploy in deploys if us and named.get(deploy.id, "").casefold() == us]
    return confirmed or [deploy for deploy in deploys if deploy.id not in named]


@dataclass
class Search:
    """Looks for the deploy that one request started: `fits` is what was asked for, `known` was there before.

    Then `possible` has all that may be ours; `alone`: Render named nobody for the one that was found."""

    api: Render
    service: Service
    known: Sequence[str]
    fits: Callable[[Deploy], bool]
    possible: list[str] = field(default_factory=list)
    alone: bool = False
    _seen: Counter[str] = field(default_factory=Counter)

    def look(self) -> Deploy | None:
        """The one; alone for several looks where Render names nobody, since another may be listed late."""
        listed = next(self.api.deploys.pages(self.service.render_id, limit=20), [])
        fresh = [deploy for deploy in listed if deploy.id not in self.known and self.fits(deploy)]
        users = started_by(self.api, self.service, fresh) if fresh else {}
        ours = not_others(self.api, fresh, users)
        self.possible = [deploy.id for deploy in ours]
        self._seen.update(self.possible)
        if len(ours) != 1:
            return None
        self.alone = "@" not in users.get(ours[0].id, "")
        return ours[0] if not self.alone or self._seen[ours[0].id] >= ALONE_LOOKS else None


def refuse_others(api: Render, service: Service, row: Deployment) -> None:
    """Raises ProviderError where Render now names somebody else for what was taken for ours; it is theirs then."""
    user = started_by(api, service, [Deploy(row.render_id, created_at=row.created_at)]).get(row.render_id, "")
    if not_others(api, [Deploy(row.render_id)], {row.render_id: user}):
        return
    theirs = {"operation": None, "actor": user[:200], "actor_source": Deployment.Source.EVENT}
    Deployment.objects.filter(pk=row.pk).update(**theirs)
    raise ProviderError(
        f"{row.render_id}, which began when this was asked for, was started by {user}. The answer to this request was "
        "lost and Render lists no other deploy so far. Look at what is live before you request it again."
    )


def found_late(api: Render, service: Service, deploy: Deploy, new: Sequence[Deploy], user: str) -> Operation | None:
    """The operation that asked for it and gave it up; people are told, since what was said of it is not true.

    `new`: all that were listed with it; `user`: who started it by Render's word."""
    if deploy.created_at is None or deploy.trigger not in ("api", "rollback"):
        return None
    ended = database_time() - timedelta(days=1)
    lost = Operation.objects.filter(status=Status.FAILED, parameters__service=service.render_id, ended_at__gte=ended)
    for operation in lost.filter(kind__in=[DEPLOY, ROLLBACK]).select_related("requested_by").order_by("requested_at"):
        rivals = [other for other in new if _was_sent_for(operation, service, other)]
        if [one.id for one in rivals] == [deploy.id] and not_others(api, rivals, {deploy.id: user}):
            _tell(operation, service, deploy)
            return operation
    return None


def _was_sent_for(operation: Operation, service: Service, deploy: Deploy) -> bool:
    sent = Step.objects.filter(operation=operation, name="send").values_list("detail", flat=True).first() or {}
    if not sent.get("asked_at") or sent.get("deploy") or deploy.id in sent.get("known", []) + sent.get("possible", []):
        return False
    after = (deploy.created_at or database_time()) - datetime.fromisoformat(sent["asked_at"])
    in_time = -CLOCKS_DIFFER <= after <= LATEST
    asked = in_time and is_asked_for(operation.kind, operation.parameters, service, deploy)
    return asked and not Deployment.objects.filter(operation=operation).exists()


def _tell(operation: Operation, service: Service, deploy: Deploy) -> None:
    subject = f"{operation} was started after all"
    body = f"Its answer was lost and Render listed it late: {deploy.id}, {deploy.status}. Do not request it again."
    path = page_of(operation)
    enqueue(f"found-late:{service.render_id}:{deploy.id}", subject=subject, body=body, path=path)
