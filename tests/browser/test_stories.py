"""What each kind of person comes for, walked by what the guide says, at a desk and on a telephone.

In: the world of the factories, Render's sandbox where a service is changed. Out: the story has ended on a page that
says so; GUIDE_PICTURES=1 takes the guide's pictures anew (docs/guide/pictures).
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
import stamina
from django.conf import settings as of_house
from django.contrib.auth.models import Group, User
from django.urls import reverse
from playwright.sync_api import Page, expect

from backups.archive import keys, signatures
from backups.models import Policy
from backups.policies.defaults import ensure_policies
from deployments.models import Deployment, Service
from deployments.render.sync import poll
from operations.engine.run import run_operation
from operations.models import Authenticator, Environment, Operation
from tests import portal_database, sampling
from tests.browser.conftest import Site, Watched
from tests.migrations_registry.applying import add, rows
from tests.people import vouch_for
from tests.render_sandbox import Harness, running
from tests.sampelit_ops.signin.codes import code_of
from tests.stepping import authenticator

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
QUICK = {"build_in_progress": 0.0, "pre_deploy_in_progress": 0.0, "update_in_progress": 0.0}
WIDTHS = (1400, 390)
PICTURES = Path(of_house.BASE_DIR) / "docs" / "guide" / "pictures"
# Each story of docs/guide, and the test that walks it.
STORIES = {
    "viewer: what is live, by whom, healthy": "test_a_viewer_sees_what_is_live_and_reads_its_log",
    "operator: deploy and watch": "test_an_operator_deploys_and_reads_how_it_ended",
    "operator: roll back on a telephone": "test_three_clicks_on_a_telephone_while_every_worker_is_busy",
    "operator: set a variable": "test_a_variable_is_typed_once",
    "operator: maintenance": "test_maintenance_is_one_preview_away",
    "operator and approvers: a destructive migration": "test_a_destructive_migration_is_applied_and_undone",
    "approver: what is asked": "test_an_approver_reads_the_sql_before_the_button",
    "operator: export now": "test_an_export_is_asked_for_in_words",
    "operator: look into a run": "test_a_run_is_looked_into_in_a_database_of_its_own",
    "operator and approvers: compare and restore onto live": "test_a_forged_row_is_compared_and_put_back",
    "operator: something is gone": "test_recover_lists_every_way_back",
    "auditor: safe and unaltered, offline too": "test_an_auditor_proves_it_alone",
    "admin: invite somebody": "test_an_admin_invites_somebody",
    "admin: a policy of one's own": "test_an_admin_adds_a_policy_by_ticking_tables",
    "admin: freeze an environment": "test_an_admin_freezes_an_environment",
    "sign in with a second factor": "test_password_and_code_by_keyboard",
    "maintainer: put it on Render": "test_the_guide_leads_from_nothing_to_hours_without_a_kill",
}
Open = Callable[[str], Page]


@pytest.fixture(params=WIDTHS)
def as_role(request: pytest.FixtureRequest, site: Site, signed_in: Callable[[User], Watched]) -> Open:
    """A tab of a person with this role, at one of the widths; a run without SOAK takes one width a test."""
    taken = WIDTHS[sampling.chosen(request.node.originalname, 2)]
    if not sampling.WHOLE and not os.environ.get("GUIDE_PICTURES") and request.param != taken:
        pytest.skip("the other width is this run's")

    def open_tab(role: str) -> Page:
        person, made = User.objects.get_or_create(username=f"the {role.lower()}", defaults={"is_staff": True})
        if made:
            person.groups.set(Group.objects.filter(name=role.split()[-1]))
            vouch_for(person)
        page = signed_in(person).page
        page.set_viewport_size({"width": request.param, "height": 900})
        page.goto(site.url + reverse("admin:index"))
        return page

    return open_tab


@pytest.fixture
def render(settings) -> Iterator[Harness]:
    """Render answers, and what came from it is known."""
    with stamina.set_testing(True, attempts=2), running(phases=QUICK) as sandbox:
        settings.RENDER_API_KEY, settings.RENDER_API_BASE = sandbox.sandbox.api_key, sandbox.sandbox.base
        settings.DEPLOY_WATCH_SECONDS, settings.HEALTH_GOOD_PROBES = 0.01, 2
        poll()
        yield sandbox


def search(page: Page, words: str, answer: str, of: str = "") -> None:
    """As the guide says: type what you want to do, take the answer (of this service, where two have its name)."""
    page.fill("#jump", words)
    page.press("#jump", "Enter")
    answers = page.get_by_role("link", name=answer)
    (answers.and_(page.locator(f"a[href*='{of}']")) if of else answers).first.click()


def confirm(page: Page, reason: str = "", device: Authenticator | None = None) -> Operation:
    """Preview, where it is offered, then Confirm; the operation's page is open."""
    if reason:
        page.fill("[name=reason]", reason)
    if page.get_by_role("button", name="Preview").count():
        with page.expect_navigation():
            page.get_by_role("button", name="Preview").click()
    expect(page.locator(".consequences").first).to_be_visible()
    with page.expect_navigation():
        page.get_by_role("button", name="Confirm").click()
    if device and page.locator("#step_up_code").count():
        shown(page, device)
    if page.get_by_text("Nothing was requested yet").count():  # a field was filled that the page had not shown
        with page.expect_navigation():
            page.get_by_role("button", name="Confirm").click()
    assert "/operations/operation/0" in page.url, page.locator("main").inner_text()[:900]
    return Operation.objects.get(pk=page.url.rstrip("/").split("/")[-2])


def approve(as_role: Open, site: Site, operation: Operation) -> None:
    """An approver reads why it is asked for, and votes."""
    assert operation.status == "awaiting_approval"
    page = as_role("Approver")
    page.goto(site.url + reverse("admin:operations_operation_change", args=[operation.pk]))
    expect(page.locator("main")).to_contain_text(operation.reason)
    assert fits(page), beside(page)
    with page.expect_navigation():
        page.locator("#verb-approve").click()
    page.goto("about:blank")  # its scripts would load it anew meanwhile


def typed(page: Page) -> None:
    """The name of what is destroyed, as the page asks for it."""
    page.fill("[name=typed]", page.locator("label[for=typed] code").inner_text())


def device_of(role: str) -> Authenticator:
    """The authenticator app of whoever has this role."""
    person = User.objects.get(username=f"the {role.lower()}")
    return Authenticator.objects.filter(user=person).first() or authenticator(person)


def shown(page: Page, device: Authenticator) -> None:
    """The second factor that the page asks for."""
    Authenticator.objects.filter(pk=device.pk).update(last_t=-1)  # its code of this half minute may be used again
    page.fill("#step_up_code", code_of(device))
    with page.expect_navigation():
        page.get_by_role("button", name="Confirm").click()


def agreed(as_role: Open, site: Site, operation: Operation) -> None:
    """Two approvers read what is lost, type its name and show their second factor."""
    for role in ("First Approver", "Second Approver"):
        page = as_role(role)
        device = device_of(role)
        page.goto(site.url + reverse("admin:operations_operation_change", args=[operation.pk]))
        assert fits(page), beside(page)
        page.fill("[name=typed]", page.locator("#vote label code").inner_text())
        with page.expect_navigation():
            page.locator("#verb-approve").click()
        shown(page, device)
        expect(page.locator(".messagelist")).to_contain_text("You approved it.")
        page.goto("about:blank")  # its scripts would load it anew meanwhile


def ended(page: Page, operation: Operation) -> str:
    """Its state after a worker had it."""
    pools, address = frozenset({"urgent", "deploy", "export", "prove"}), page.url
    page.goto("about:blank")  # its scripts would load it anew meanwhile
    status = run_operation(operation.pk, "worker/1", pools, end_process=lambda: None)
    page.goto(address)
    return status


def fits(page: Page) -> bool:
    """Nothing lies beside the screen."""
    page.wait_for_load_state()
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def beside(page: Page) -> list[str]:
    """What lies there, to mend it."""
    found: list[str] = page.evaluate(
        """[...document.querySelectorAll("body *")].filter((each) => each.getBoundingClientRect().right > innerWidth)
          .map((each) => `${each.tagName}.${each.className} ${(each.innerText || "").slice(0, 80)}`)"""
    )
    return found


SHRINK = """async (shot) => {
  const image = new Image(); image.src = "data:image/png;base64," + shot; await image.decode();
  const canvas = document.createElement("canvas");
  Object.assign(canvas, {width: 840, height: 840 * image.height / image.width});
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/webp", 0.55).split(",")[1];
}"""


def picture(page: Page, name: str) -> None:
    """For the guide: the page as it stands, small, in the light theme."""
    if os.environ.get("GUIDE_PICTURES") and page.evaluate("innerWidth") > 1000:
        page.set_viewport_size({"width": 1200, "height": 760})
        blank = page.context.browser.new_page()
        shrunk = blank.evaluate(SHRINK, base64.b64encode(page.screenshot()).decode())
        blank.close()
        (PICTURES / f"{name}.webp").write_bytes(base64.b64decode(shrunk))


def test_every_story_names_its_walk() -> None:
    written = "".join(path.read_text() for path in Path(of_house.BASE_DIR, "tests").rglob("test_*.py"))

    assert [name for name in STORIES.values() if f"def {name}(" not in written] == []


def test_a_viewer_sees_what_is_live_and_reads_its_log(as_role: Open, render: Harness) -> None:
    page = as_role("Viewer")
    picture(page, "overview")
    live = Deployment.objects.get(service__render_id=render.service(), status="live")
    address = reverse("admin:deployments_deployment_change", args=[live.pk])
    row = page.locator("table.services tr").filter(has=page.locator(f"a[href='{address}']"))
    expect(row).to_contain_text("ago")

    row.locator(f"a[href='{address}']").click()

    expect(page.get_by_role("heading", name="Log of this deploy")).to_be_visible()
    expect(page.get_by_role("link", name="Download").first).to_be_visible()
    assert fits(page), beside(page)
    assert page.get_by_role("button", name="Roll back").first.is_disabled()


def test_an_operator_deploys_and_reads_how_it_ended(as_role: Open, site: Site, render: Harness) -> None:
    service = Service.objects.get(render_id=render.service())
    page = as_role("Operator")

    search(page, f"deploy {service.name}", f"Deploy: {service.name} on", service.render_id)
    commit = Deployment.objects.get(service=service, status="live").commit_sha[:12]
    assert page.locator(f"datalist option[value='{commit}']").count() == 1
    page.fill("[name=commit]", commit)
    operation = confirm(page, "the fix for checkout")
    picture(page, "deploy")
    approve(as_role, site, operation)

    assert ended(page, operation) == "succeeded"
    page.get_by_role("link", name="with its log and the service's").click()
    expect(page.get_by_role("heading", name="Log of the service")).to_be_visible()
    assert fits(page), beside(page)


def test_a_variable_is_typed_once(as_role: Open, site: Site, render: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPS_VALUE_SENTRY", "the-value-of-the-worker")
    page = as_role("Operator")

    search(page, "set a variable sampelit-api", "Set a variable: sampelit-api on", render.service())
    page.fill("[name=key]", "SENTRY_DSN")
    page.fill("[name=worker_variable]", "OPS_VALUE_SENTRY")
    operation = confirm(page, "errors go to the new project")
    approve(as_role, site, operation)

    assert ended(page, operation) == "succeeded"
    expect(page.locator("main")).to_contain_text("Succeeded", ignore_case=True)
    assert render.sandbox.world.env[render.service()]["SENTRY_DSN"] == "the-value-of-the-worker"
    assert "the-value-of-the-worker" not in page.content()
    assert fits(page), beside(page)


def test_maintenance_is_one_preview_away(as_role: Open, render: Harness) -> None:
    page = as_role("Operator")

    search(page, "maintenance sampelit-api", "Maintenance mode: sampelit-api on", render.service())
    page.select_option("[name=state]", "on")
    operation = confirm(page, "the database moves")

    assert ended(page, operation) == "succeeded"
    expect(page.locator("main")).to_contain_text("is on")
    assert fits(page), beside(page)


def test_an_approver_reads_the_sql_before_the_button(as_role: Open, site: Site) -> None:
    page = as_role("Approver")

    page.goto(site.url + reverse("admin:approvals"))
    page.get_by_role("link", name="Apply a migration").first.click()
    expect(page.get_by_text("DROP COLUMN legacy_score").first).to_be_visible()
    expect(page.locator("#vote")).to_be_attached()
    picture(page, "decision")

    assert page.evaluate(
        """() => Boolean([...document.querySelectorAll("main *")].find((each) => each.innerText
          && each.children.length === 0 && each.innerText.includes("DROP COLUMN legacy_score"))
          .compareDocumentPosition(document.querySelector("#vote")) & Node.DOCUMENT_POSITION_FOLLOWING)"""
    )
    expect(page.locator("main")).to_contain_text("v2.4 is live")
    assert fits(page), beside(page)


@dataclass
class Place:
    """A protected environment whose Sampelit database may be changed."""

    row: Environment
    admin_dsn: str

    def rows(self, query: str) -> list[Any]:
        return rows(self.admin_dsn, query)

    def request(self, kind: str, **given: str) -> str:
        """The path of a request's form, filled in as a link of a page fills it in."""
        query = urlencode({"environment": self.row.slug, **given})
        return f"{reverse('admin:operations_request', args=[kind])}?{query}"


@pytest.fixture
def place(
    site: Site,
    sampelit_copy: dict[str, str],
    reused_drill: None,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Place:
    """With a store; codes count as second factors."""
    settings.BACKUP_STORE, settings.OPS_PASSKEY_VOTES = f"file://{tmp_path}/store", 0
    slug = f"eu-{Environment.objects.count()}"
    row = Environment.objects.create(slug=slug, name=slug, kind="staging", protected=True)
    ensure_policies(row)
    for role, door in {"export": "export", "migration": "migration", "restore": "admin"}.items():
        monkeypatch.setenv(row.variable(role), sampelit_copy[door])
    return Place(row, sampelit_copy["admin"])


def test_a_destructive_migration_is_applied_and_undone(as_role: Open, site: Site, place: Place) -> None:
    path = "supabase/migrations/20260101000000_drop_what_nobody_reads_any_more.sql"
    file = add((path, f"ALTER TABLE leads DROP COLUMN message; -- of {place.row}"))[0]
    messages = "SELECT id, message FROM leads ORDER BY id"
    before = place.rows(messages)
    review = site.url + reverse("admin:migrations_registry_migrationfile_change", args=[file.pk])
    page = as_role("Operator")

    page.goto(f"{review}?environment={place.row.slug}")
    page.get_by_role("link", name="Ask for all that comes before it, then it…").click()
    expect(page.locator("[name=typed]")).to_be_visible()
    assert fits(page), beside(page)
    typed(page)
    operation = confirm(page, "nobody reads it")
    agreed(as_role, site, operation)
    assert ended(page, operation) == "succeeded", Operation.objects.get(pk=operation.pk).error
    expect(page.locator("main")).to_contain_text("Succeeded", ignore_case=True)
    assert fits(page), beside(page)
    page.goto(f"{review}?environment={place.row.slug}")
    expect(page.locator("main")).to_contain_text("nobody reads it")
    page.get_by_role("link", name="Undo…").click()
    typed(page)
    undo = confirm(page, "a report reads it after all")
    agreed(as_role, site, undo)

    assert ended(page, undo) == "succeeded", Operation.objects.get(pk=undo.pk).error
    assert place.rows(messages) == before
    expect(page.locator("main")).to_contain_text(f"{file.name}, applied")
    page.goto(f"{review}?environment={place.row.slug}")
    expect(page.locator("main")).to_contain_text("What it destroyed was brought back")
    expect(page.get_by_role("link", name="Mark as not applied…")).to_be_visible()
    assert fits(page), beside(page)


def test_a_forged_row_is_compared_and_put_back(as_role: Open, site: Site, place: Place) -> None:
    addresses = "SELECT id, email FROM users ORDER BY id"
    page = as_role("Operator")
    page.goto(site.url + place.request("backups.export", policy="audit-trail"))
    exported(page, site, confirm(page, "before the release"))
    before = place.rows(addresses)
    with psycopg.connect(place.admin_dsn, autocommit=True) as admin:
        admin.execute("UPDATE users SET email = 'forged@example.com' WHERE id = %s", [before[0][0]])

    page.get_by_role("link", name="Compare with the live tables").first.click()
    compared = confirm(page, "an address is not theirs")
    assert ended(page, compared) == "succeeded", Operation.objects.get(pk=compared.pk).error
    page.get_by_role("link", name="what it changes").click()
    page.get_by_role("link", name="Restore onto").click()
    typed(page)
    operation = confirm(page, "an address is not theirs")
    expect(page.locator("main")).to_contain_text("what is now in 1 row")
    agreed(as_role, site, operation)

    assert ended(page, operation) == "succeeded", Operation.objects.get(pk=operation.pk).error
    assert place.rows(addresses) == before
    assert fits(page), beside(page)


def test_an_admin_adds_a_policy_by_ticking_tables(as_role: Open, site: Site, place: Place) -> None:
    page = as_role("Admin")

    page.goto(f"{site.url}{reverse('admin:backups_policy_add')}?environment={place.row.pk}")
    page.fill("[name=name]", "leads")
    page.locator("[name=picked][value='public.leads']").check()
    page.fill("[name=cron]", "15 */4 * * *")
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.locator(".messagelist")).to_contain_text("was added successfully")
    assert Policy.objects.get(environment=place.row, name="leads").tables == ["public.leads"]
    assert fits(page), beside(page)


def test_an_admin_freezes_an_environment(as_role: Open, site: Site) -> None:
    staging = Environment.objects.get(slug="staging")
    page = as_role("Admin")

    page.goto(site.url + reverse("admin:operations_environment_change", args=[staging.pk]))
    page.get_by_label("Frozen until (UTC)").fill("2099-12-24T18:00")
    reason = f"the sale, at {page.evaluate('innerWidth')}"
    page.get_by_label("Freeze reason").fill(reason)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("main")).to_contain_text(f"→ {reason}")
    operation = confirm(page, "nobody deploys on the day of the sale", device_of("Admin"))

    assert ended(page, operation) == "succeeded", Operation.objects.get(pk=operation.pk).error
    staging.refresh_from_db()
    assert staging.freeze_reason == reason
    assert fits(page), beside(page)


@pytest.fixture
def product(sampelit: dict[str, str], reused_drill, settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Production reads Sampelit's database, and a store is there."""
    settings.BACKUP_STORE = f"file://{tmp_path}/store"
    for role in ("export", "restore"):
        monkeypatch.setenv(f"SAMPELIT_PRODUCTION_{role.upper()}_DSN", sampelit[role])


def asked_to_export(page: Page) -> Operation:
    search(page, "export now", "Export and prove: audit-trail on production")
    return confirm(page, "before the release")


def exported(page: Page, site: Site, operation: Operation) -> None:
    """To the page of the proven run."""
    assert operation.status == "queued"
    assert ended(page, operation) == "succeeded", Operation.objects.get(pk=operation.pk).error
    expect(page.locator("main")).to_contain_text("Succeeded", ignore_case=True)
    assert fits(page), beside(page)
    run = Operation.objects.get(pk=operation.pk).result["run"]
    page.goto(site.url + reverse("admin:backups_run_change", args=[run]))


def test_an_export_is_asked_for_in_words(as_role: Open, site: Site, product: None) -> None:
    page = as_role("Operator")

    exported(page, site, asked_to_export(page))

    expect(page.locator("main")).to_contain_text("Proven", ignore_case=True)
    assert fits(page), beside(page)


def test_a_run_is_looked_into_in_a_database_of_its_own(as_role: Open, site: Site, product: None) -> None:
    page = as_role("Operator")
    exported(page, site, asked_to_export(page))

    page.get_by_role("link", name="Restore into scratch").first.click()
    operation = confirm(page, "who saw variant b")

    assert ended(page, operation) == "succeeded", Operation.objects.get(pk=operation.pk).error
    made = Operation.objects.get(pk=operation.pk).result["database"]
    expect(page.locator("main")).to_contain_text(made)
    assert fits(page), beside(page)
    portal_database.server.drop_database(made)


def test_recover_lists_every_way_back(as_role: Open, site: Site) -> None:
    page = as_role("Operator")

    page.goto(site.url + reverse("admin:recover"))
    page.get_by_label("What was lost").select_option("project")
    page.get_by_role("button", name="Show every way back").click()

    expect(page.get_by_role("heading", name="Ways back")).to_be_visible()
    assert page.locator("main tbody tr").count() >= 1
    picture(page, "recover")
    assert fits(page), beside(page)


def test_an_auditor_proves_it_alone(as_role: Open, site: Site, settings) -> None:
    settings.BACKUP_PUBLIC_KEYS = [keys.public_text(signatures.generate()[1])]
    page = as_role("Auditor")

    page.goto(site.url + reverse("admin:backups_offline"))
    expect(page.locator("main")).to_contain_text("verify_backup.py")
    expect(page.get_by_role("link", name="public-keys.pem")).to_be_visible()
    picture(page, "offline")
    page.goto(site.url + reverse("admin:ledger_entry_changelist"))
    page.get_by_role("button", name="Verify").click()

    expect(page.locator("main")).to_contain_text("valid", ignore_case=True)
    assert fits(page), beside(page)


def test_an_admin_invites_somebody(as_role: Open, site: Site) -> None:
    page = as_role("Admin")

    page.goto(site.url + reverse("admin:auth_user_changelist"))
    page.locator(".object-tools a").first.click()

    expect(page.locator("main form")).to_contain_text("mail", ignore_case=True)
    assert fits(page), beside(page)


def test_the_guide_shows_its_pictures(site: Site, page: Watched) -> None:
    page.page.goto(site.url + reverse("admin:guide_page", args=["approver"]))

    shown = page.page.locator(".guide img")
    assert shown.count() >= 1
    shown.first.scroll_into_view_if_needed()
    expect(shown.first).to_have_js_property("complete", True)
    assert shown.first.evaluate("(image) => image.naturalWidth") > 0
    assert sum(path.stat().st_size for path in PICTURES.glob("*.webp")) < 250_000
