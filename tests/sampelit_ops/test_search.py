"""The search finds rows of every app by name or id, pages, and what can be done; each only for whoever may see it."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backups.models import Run
from deployments.models import ConfigFingerprint, Deployment, EdgeSecret, GroupVariable, Service, VariableGroup
from operations.models import AccessToken, Operation
from sampelit_ops.search.rows import find
from sampelit_ops.search.tables import TABLES
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(client: Client) -> factories.World:
    made = factories.world()
    service = Service.objects.get(name="sampelit-api")
    ConfigFingerprint.objects.get_or_create(service=service, key="JWT_SECRET", defaults={"fingerprint": "f" * 64})
    group = VariableGroup.objects.create(render_id="evg-search", name="shared")
    group.services.add(service)
    GroupVariable.objects.create(group=group, key="LOG_LEVEL", fingerprint="f" * 64)
    EdgeSecret.objects.create(environment=made.production, name="MAIL_SECRET")
    client.force_login(made.everything)
    return made


def ask(client: Client, words: str) -> str:
    answer = client.get(reverse("admin:jump"), {"q": words}, follow=True)
    assert answer.status_code == 200
    return answer.text.partition('id="content"')[2]


def section(text: str, heading: str) -> list[str]:
    """The addresses below one heading."""
    found = re.search(rf"<h2>{heading}</h2>.*?</section>", text, re.DOTALL)
    return re.findall(r'<li><a href="([^"]+)"', found[0]) if found else []


def examples() -> dict[str, str]:
    """What somebody types for each table that is searched, from the world's rows."""
    deployment = Deployment.objects.exclude(commit_sha="").first()
    run = Run.objects.first()
    assert deployment is not None
    assert run is not None
    return {
        "Services": "sampelit-api",
        "Deployments": deployment.commit_sha[:7],
        "Environments": "stag",
        "Migrations": "migration_",
        "Backups": run.pk[:12].lower(),
        "Policies": run.policy.name[:6],
        "Variables": "jwt_sec",
        "Variables of groups": "LOG_LEVEL",
        "Functions' secrets": "mail_",
        "People": "everyth",
        "Operations": Operation.objects.first().pk[:14],  # type: ignore[union-attr]
    }


def test_each_table_is_found_by_what_people_type(client: Client, world: factories.World) -> None:
    typed = examples()
    assert set(typed) == {table.heading for table in TABLES}

    missed = []
    for heading, word in typed.items():
        hits = [found for found in find(world.everything, word) if found.heading == heading]
        if not hits or client.get(hits[0].url).status_code != 200:
            missed.append((heading, word))

    assert missed == []


ACTS = [
    ("roll back api", "deployments.rollback", "service"),
    ("rollback sampelit-api", "deployments.rollback", "service"),
    ("export now", "backups.export", ""),
    ("back up", "backups.export", ""),
    ("set JWT_SECRET", "deployments.set_variable", "key=JWT_SECRET"),
    ("set a variable", "deployments.set_variable", ""),
    ("deploy api", "deployments.deploy", "service"),
    ("restart the api", "deployments.restart", "service"),
    ("maintenance on api", "deployments.maintenance", "service"),
    ("freeze production", "environments.change", "environment=production"),
    ("apply a migration", "migrations.apply", ""),
]


def test_an_act_is_found_in_words(client: Client, world: factories.World) -> None:
    for words, kind, given in ACTS:
        links = section(ask(client, words), "Do")

        assert links, words
        assert reverse("admin:operations_request", args=[kind]) in links[0], words
        assert given in links[0], words
        assert client.get(links[0].replace("&amp;", "&")).status_code == 200, words


def test_a_word_that_names_nothing_offers_no_act(client: Client, world: factories.World) -> None:
    assert section(ask(client, "roll back zebra"), "Do") == []


def test_an_id_leads_there_at_once(client: Client, world: factories.World) -> None:
    operation = world.operations["running"]

    answer = client.get(reverse("admin:jump"), {"q": operation.pk.lower()})

    assert answer.headers["Location"] == reverse("admin:operations_operation_change", args=[operation.pk])


def test_nobody_finds_what_they_may_not_open_or_ask_for(client: Client, world: factories.World) -> None:
    viewer = factories.person("vera", is_superuser=False)
    viewer.groups.set(Group.objects.filter(name="Viewer"))
    client.force_login(viewer)

    assert section(ask(client, "everything"), "People") == []
    assert section(ask(client, "roll back api"), "Do") == []
    assert section(ask(client, "sampelit-api"), "Services")


def test_a_removed_service_is_not_offered(client: Client, world: factories.World) -> None:
    Service.objects.update(removed_at=timezone.now())

    assert section(ask(client, "sampelit-api"), "Services") == []
    assert section(ask(client, "restart api"), "Do") == []


def test_the_shell_finds_the_same(world: factories.World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, token = AccessToken.objects.issue(world.everything, "laptop", scopes=["read"])
    monkeypatch.setenv("OPS_TOKEN", token)
    out = StringIO()

    call_command("find", "sampelit-api", "--json", stdout=out)
    with pytest.raises(SystemExit):
        call_command("find", "zebra", stdout=StringIO(), stderr=StringIO())

    service = Service.objects.get(name="sampelit-api")
    assert reverse("admin:deployments_service_change", args=[service.pk]) in out.getvalue()


def test_old_rows_are_found_by_commit_and_id_and_the_page_says_so(
    client: Client, world: factories.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sampelit_ops.search.tables.NEWEST", 1)
    old, oldest = Deployment.objects.last(), Operation.objects.last()
    assert old is not None
    assert oldest is not None
    Deployment.objects.filter(pk=old.pk).update(commit_message="wxyzword")

    by_word = ask(client, "wxyzword")
    assert "newest 20,000 only" in " ".join(by_word.split())
    for word, row in ((old.commit_sha[:8], old), (old.render_id, old), (oldest.pk[:14].lower(), oldest)):
        assert str(row.pk) in [found.key for found in find(world.everything, word)], word


def test_a_word_that_could_be_a_commit_is_looked_for_in_messages_too(world: factories.World) -> None:
    newest = Deployment.objects.first()
    assert newest is not None
    Deployment.objects.filter(pk=newest.pk).update(commit_message="Decafbad is gone", commit_sha="1" * 40)
    other = Deployment.objects.exclude(pk=newest.pk).first()
    assert other is not None
    Deployment.objects.filter(pk=other.pk).update(commit_sha="decaf" + "0" * 35)

    found = {found.key for found in find(world.everything, "decaf") if found.heading == "Deployments"}

    assert found == {str(newest.pk), str(other.pk)}
