"""Buttons: each verb of this app as a link to the one confirmation page, or the reason why it is not offered."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import AnonymousUser, User

from deployments.models import Deployment, Service, VariableGroup
from deployments.models.deployment import GONE, Status
from deployments.variables.reach import strictest
from operations.web.verbs import Verb, asking

ROLLBACK = "rollback"  # Render's word for what started a deploy
LOOKED_AT = 30
FILES = (("set_secret_file", "Set a secret file"), ("delete_secret_file", "Delete a secret file"))
DYNAMIC = (*FILES, ("verify_domain", "Verify a domain"))
OF_TYPE = {  # Render's type → verbs that only such a service has
    "web_service": (("job", "Run a job"), *DYNAMIC),
    "static_site": (
        ("purge_cache", "Purge cache"),
        ("move_route", "Move a redirect"),
        ("verify_domain", "Verify a domain"),
    ),
    "cron_job": (("run_cron", "Run now"), ("cancel_cron", "Cancel the run"), *FILES),
}
GROUP_VERBS = (
    ("set_group_variable", "Set a variable", ""),
    ("delete_group_variable", "Delete a variable", "danger"),
    ("link_group", "Link a service", ""),
    ("unlink_group", "Unlink a service", "danger"),
)


def verb(user: User | AnonymousUser, kind: str, service: Service, label: str, *, tone: str = "", **given: str) -> Verb:
    """A link to the confirmation page of `kind`, filled in."""
    return asking(user, kind, service.environment, label, tone, service=service.render_id, **given)


def of_service(user: User | AnonymousUser, service: Service, known: Sequence[Deployment] | None = None) -> list[Verb]:
    """What can be done to a service, the most usual first; `known` are its newest deploys if they were read already."""

    def make(kind: str, label: str, tone: str = "", **given: str) -> Verb:
        return verb(user, f"deployments.{kind}", service, label, tone=tone, **given)

    verbs = [make("deploy", "Deploy")]
    if (back := last_good(service) if known is None else good_among(known)) is not None:
        verbs.append(make("rollback", f"Roll back to {back.short}", "danger", deployment=back.render_id))
    if service.is_web:
        state = "off" if service.maintenance else "on"
        verbs.append(make("maintenance", f"Maintenance {state}", state=state))
        verbs += [make("restart", "Restart"), make("scale", "Scale"), make("health_path", "Health path")]
    verbs.append(
        make(
            "autodeploy",
            f"Autodeploy {'off' if service.autodeploy else 'on'}",
            state="off" if service.autodeploy else "on",
        )
    )
    if service.suspended:
        verbs.insert(1, make("resume", "Resume"))
    verbs += [
        make("source", "Branch"),
        make("set_variable", "Set a variable"),
        make("delete_variable", "Delete a variable"),
        make("link_group", "Link a group"),
    ]
    verbs += [make(kind, label) for kind, label in OF_TYPE.get(service.type, DYNAMIC)]
    verbs += [] if service.suspended else [make("suspend", "Suspend", "danger")]
    if service.is_preview:
        verbs += [make("keep_preview", "Keep until …"), make("delete_preview", "Delete preview", "danger")]
    return verbs


def group_verbs(user: User | AnonymousUser, group: VariableGroup) -> list[Verb]:
    """What can be done to an environment group, the two verbs on a variable first.

    Requested where the rules are strictest of all that it reaches.
    """
    environment = strictest(group.services.all())
    return [
        asking(user, f"deployments.{kind}", environment, label, style, group=group.render_id)
        for kind, label, style in GROUP_VERBS
    ]


def good_among(known: Sequence[Deployment]) -> Deployment | None:
    """What a rollback would put back, of deploys read before, newest first: superseded and not found unhealthy.

    After a rollback that is older than what is live: what was left is the version that somebody fled from.
    """
    live = next((row for row in known if row.status == Status.LIVE), None)
    good = (row for row in known if _is_way_back(row))
    if live is None:
        return next(good, None)
    before = live.created_at
    if live.trigger == ROLLBACK:
        earlier = [row.created_at for row in known if row.commit_sha == live.commit_sha and row.trigger != ROLLBACK]
        if not earlier:
            return None  # it was live before all that is known: anything known may be what was fled
        before = min(earlier)
    return next((row for row in good if row.commit_sha != live.commit_sha and row.created_at < before), None)


def _is_way_back(row: Deployment) -> bool:
    """Deploys that Render no longer knows are none."""
    was_good = row.status == Status.DEACTIVATED and row.health != Deployment.Health.UNHEALTHY
    return was_good and not row.seeded and row.provider_status != GONE


def last_good(service: Service) -> Deployment | None:
    """The same, read here."""
    return good_among(Deployment.objects.newest_of([service.pk], LOOKED_AT)[service.pk])
