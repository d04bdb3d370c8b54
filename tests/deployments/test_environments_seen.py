"""An environment that only the provider knows of comes in as strict as the strictest known one, and people hear."""

from __future__ import annotations

import pytest

from deployments import workspace
from deployments.models import Service
from deployments.render.service_rows import environment_of
from ledger.models import Entry
from ledger.registry import sentence_for
from operations.kinds.unasked_environment import seen
from operations.models import Environment, Heartbeat, Notification
from tests.people import holder

pytestmark = pytest.mark.django_db
SEEN = [
    ("sampelit-api", "main", ""),
    ("sampelit-api-staging", "main", ""),
    ("api", "develop", ""),
    ("sampelit-web-pr-7", "change", "srv-parent"),
    ("production-pr-8", "staging", "srv-parent"),
]
KNOWN = [
    [],
    [{"slug": "known", "kind": "staging"}],
    [{"slug": "known", "kind": "production", "protected": True}],
    [{"slug": "known", "kind": "production", "protected": True, "votes_destructive": 4, "votes_routine": 1}],
    [{"slug": "known", "kind": "staging", "votes_sensitive": 3}, {"slug": "other", "protected": True}],
    [{"slug": "known", "kind": "preview", "votes_routine": 0, "votes_sensitive": 0, "votes_destructive": 0}],
]


def service(name: str, branch: str, parent: str) -> Service:
    return Service(render_id="srv-x", name=name, branch=branch, parent_render_id=parent)


@pytest.mark.parametrize("known", KNOWN, ids=str)
@pytest.mark.parametrize("at_render", SEEN, ids=str)
def test_a_new_one_is_as_strict_as_the_strictest(
    at_render: tuple[str, str, str], known: list[dict[str, object]]
) -> None:
    rows = [Environment.objects.create(**values) for values in known]

    new = environment_of(service(*at_render))

    for risk in ("routine", "sensitive", "destructive"):
        assert new.votes(risk) >= max((row.votes(risk) for row in rows), default=0)
    assert (new.protected, new.votes("sensitive") >= 1, new.votes("destructive") >= 2) == (True, True, True)


def test_it_is_told_and_written_down_once(settings) -> None:
    settings.EMAIL_HOST = "smtp.example.com"
    ada = holder("ada", "approve_operation")
    type(ada).objects.filter(pk=ada.pk).update(email="ada@example.com")

    for _ in range(2):
        environment_of(service("sampelit-api", "main", ""))

    entry = Entry.objects.get(code="operations.environment.added")
    assert (entry.actor, entry.environment) == ("Render", "production")
    assert "production" in sentence_for(entry)
    assert [row.recipients for row in Notification.objects.all()] == ["ada@example.com"]


@pytest.mark.parametrize("slug", ["staging", "STAGING", "pr-1", "pr_1"])
def test_what_is_known_is_never_touched(slug: str) -> None:
    before = Environment.objects.create(slug=slug, name="Mine", protected=False, votes_destructive=0)
    Environment.objects.create(slug="strict", protected=True, votes_destructive=5)

    row, new = seen(slug.lower().replace("_", "-"), name="Theirs", kind="production", by="Render")

    assert (row.pk, new) == (before.pk, False)
    assert vars(Environment.objects.get(pk=before.pk)).items() >= {"name": "Mine", "protected": False}.items()


AT_RENDER = [
    ("Staging", "", "staging"),
    ("QA", "", "staging"),
    ("Production", "", "production"),
    ("Live", "", "production"),
    ("Production", "srv-parent", "preview"),
    ("", "", "staging"),
]


@pytest.mark.parametrize(("at_render", "parent", "kind"), AT_RENDER)
def test_a_service_comes_in_where_render_has_it(at_render: str, parent: str, kind: str) -> None:
    """Render's own environment before the words of a name; a preview has one of its own."""
    Heartbeat.objects.keep(workspace.KEPT, {"environments": {"srv-x": at_render} if at_render else {}})

    assert environment_of(service("api-staging", "develop", parent)).kind == kind
