"""The pages of backups: each answers, within its queries, and says what is stored and what is proven."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from backups.models import Policy, Proof, Run, StoreReport
from backups.web.policy_form import PolicyForm
from operations.models import Environment, Operation
from tests.stepping import SteppingClient

KEEP = {
    "keep_last": 24,
    "keep_daily": 14,
    "keep_weekly": 8,
    "keep_monthly": 12,
    "keep_yearly": 7,
    "keep_unproven_days": 30,
}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin_client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="long enough password"))
    return client


@pytest.mark.parametrize("name", ["run", "policy", "slot", "restore", "proof", "storereport"])
def test_every_list_answers_empty_and_filled(admin_client: Client, run: Run, name: str) -> None:
    url = reverse(f"admin:backups_{name}_changelist")
    admin_client.get(url)

    with CaptureQueriesContext(connection) as queries:
        answer = admin_client.get(url)

    assert answer.status_code == 200
    assert len(queries) <= 12, [query["sql"] for query in queries]


def test_the_run_page(admin_client: Client, run: Run) -> None:
    url = reverse("admin:backups_run_change", args=[run.pk])
    admin_client.get(url)

    with CaptureQueriesContext(connection) as queries:
        page = admin_client.get(url).content.decode()

    assert "Proven" in page
    assert "Stored" in page
    assert "public.algorithm_audit_trail" in page
    assert run.manifest_sha256 in page
    assert len(queries) <= 12, [query["sql"] for query in queries]


def test_the_run_page_lists_what_could_not_be_rebuilt(admin_client: Client, run: Run) -> None:
    url = reverse("admin:backups_run_change", args=[run.pk])
    assert "dblink" not in admin_client.get(url).content.decode()
    proof = Proof.objects.get(run=run)
    missing = ["The extension dblink could not be rebuilt.", "The function public.f(<b>) could not be rebuilt."]
    Proof.objects.filter(pk=proof.pk).update(document={**proof.document, "missing": missing})

    page = admin_client.get(url).content.decode()

    assert "The extension dblink could not be rebuilt." in page
    assert "The function public.f(&lt;b&gt;) could not be rebuilt." in page


def test_no_proof_in_part_is_green(admin_client: Client, run: Run) -> None:
    """Neither on the run's page, where it stands beside the run's own badge, nor in the list of proofs."""
    proof = Proof.objects.get(run=run)
    amber = ["computed values public.prices differ."]
    proof.document |= {"amber": amber, "missing": [*amber, "An owner could not be rebuilt."]}
    Proof.objects.filter(pk=proof.pk).update(document=proof.document)
    Run.objects.filter(pk=run.pk).update(reason="Could not be checked here: Computed values public.prices differ.")

    pages = [reverse("admin:backups_run_change", args=[run.pk]), reverse("admin:backups_proof_changelist")]
    texts = [admin_client.get(page).text for page in pages]

    assert [text.count("Proven in part") for text in texts] == [2, 1]
    assert texts[0].count('<p class="wrap small">Computed values public.prices differ.</p>') == 1


def test_coverage_shows_tables_outside_every_policy(admin_client: Client, run: Run) -> None:
    run.policy.environment.policies.filter(name="whole-database").update(enabled=False)

    page = admin_client.get(reverse("admin:backups_coverage")).content.decode()

    assert "public.leads" in page
    assert "Not covered" in page


def test_a_renamed_table_is_amber_under_both_names(admin_client: Client, spoilt, earlier_run: Run) -> None:
    import psycopg

    from backups.web.coverage import coverage

    with psycopg.connect(spoilt["admin"]) as connection:
        connection.execute("ALTER TABLE assignments RENAME TO assignments_2; CREATE TABLE later (n int)")

    page = admin_client.get(reverse("admin:backups_coverage")).content.decode()
    told = next(check for check in coverage(None) if check.name == "production coverage")

    assert 'perhaps it is <span class="mono">public.assignments_2</span> now' in " ".join(page.split())
    assert (told.tone, "public.assignments is gone or renamed" in told.found) == ("warn", True)


def test_a_download_is_checked_and_written_down(admin_client: Client, run: Run) -> None:
    from ledger.models import Entry

    url = reverse("admin:backups_table_csv", args=[run.pk, "public.algorithm_audit_trail"])

    body = b"".join(admin_client.get(url).streaming_content)

    assert body.count(b"\n") == 601
    assert Entry.objects.filter(code="backups.run.downloaded", subject=run.pk).count() == 1


def test_manifest_and_segments_can_be_downloaded_and_each_is_written_down(admin_client: Client, run: Run) -> None:
    from hashlib import sha256

    from ledger.models import Entry

    first = run.segments.get(position=0)

    manifest = admin_client.get(reverse("admin:backups_manifest", args=[run.pk]))
    segment = admin_client.get(reverse("admin:backups_segment", args=[run.pk, 0]))
    nothing = admin_client.get(reverse("admin:backups_segment", args=[run.pk, 999]))

    assert manifest.json()["body"]["run"] == run.pk
    assert sha256(segment.content).hexdigest() == first.stored_sha256
    assert nothing.status_code == 404
    told = [
        entry.payload["object"] for entry in Entry.objects.filter(code="backups.run.downloaded").order_by("sequence")
    ]
    assert told == [f"runs/{run.pk}/manifest.json", first.key]


def test_the_portals_own_tables_are_never_handed_out(admin_client: Client, run: Run) -> None:
    portal = Environment.objects.create(slug="portal", kind=Environment.Kind.PORTAL)
    Policy.objects.filter(pk=run.policy_id).update(environment=portal)

    for name, what in (("backups_table_csv", "public.users"), ("backups_segment", 0)):
        answer = admin_client.get(reverse(f"admin:{name}", args=[run.pk, what]))
        assert (answer.status_code, "never handed out" in answer.content.decode()) == (409, True)


def test_a_comparison_leads_to_the_live_tables(admin_client: Client, run: Run) -> None:
    from django.utils import timezone

    from backups.models import Restore

    url = reverse("admin:backups_run_change", args=[run.pk])
    before = admin_client.get(url).content.decode()
    report = {"public.users": {"added": 1, "changed": 22, "missing": 3, "along": {"public.user_onboarding": 4}}}
    row = Restore.objects.create(
        operation=run.operation, run=run, target="compare", status="succeeded", report=report, ended_at=timezone.now()
    )

    page = admin_client.get(reverse("admin:backups_restore_change", args=[row.pk])).content.decode()

    assert "Compare it with the live tables first" in before
    assert "Compare it with the live tables first" not in admin_client.get(url).content.decode()
    assert "<strong>22</strong>" in page
    assert "4 rows refer to rows that would be removed, and are deleted" in " ".join(page.split())
    assert f"run={run.pk}&amp;target=live" in page


def test_a_run_under_way_shows_rate_and_time_left_of_each_table(admin_client: Client, ask) -> None:
    tables = [
        {"table": "public.users", "done": 50, "total": 50, "rows": 5, "seconds": 2.0},
        {"table": "public.assignments", "done": 25_000_000, "total": 100_000_000, "rows": 400, "seconds": 5.0},
    ]
    progress = {
        "step": "copy",
        "done": 25_000_050,
        "total": 100_000_050,
        "unit": "bytes",
        "seconds": 7.0,
        "rows": 405,
        "note": "public.assignments",
        "tables": tables,
        "waiting": 3,
    }
    operation = ask()
    Operation.objects.filter(pk=operation.pk).update(progress=progress)
    run = Run.objects.create(operation=operation, policy=Policy.objects.get(name="audit-trail"))

    fragment = admin_client.get(reverse("admin:backups_run_live", args=[run.pk])).content.decode()
    page = admin_client.get(reverse("admin:backups_run_change", args=[run.pk])).content.decode()
    Operation.objects.filter(pk=operation.pk).update(status="cancelled")
    over = admin_client.get(reverse("admin:backups_run_live", args=[run.pk])).content.decode()

    assert "5.0 MB/s" in fragment
    assert "about 15.0 s" in fragment
    assert "3 tables still to begin" in fragment
    assert f"/admin/backups/run/{run.pk}/live/" in page
    assert "data-terminal" in over


def test_a_viewer_may_not_download_rows(run: Run) -> None:
    client = Client()
    client.force_login(User.objects.create_user("vera", password="long enough password", is_staff=True))

    assert client.get(reverse("admin:backups_table_csv", args=[run.pk, "public.users"])).status_code == 403
    assert client.get(reverse("admin:backups_manifest", args=[run.pk])).status_code == 403


def test_the_home_page_tells_the_age_of_the_newest_proof(admin_client: Client, run: Run) -> None:
    page = admin_client.get(reverse("admin:index")).content.decode()

    assert "Newest proven backup" in page
    assert "just now" in page or "s ago" in page


def test_a_policy_takes_lines_and_picks_from_the_live_catalogue(admin_user: User, run: Run) -> None:
    from backups.models import Policy

    admin_client = SteppingClient()
    admin_client.force_login(admin_user)
    policy = Policy.objects.get(name="audit-trail")
    url = reverse("admin:backups_policy_change", args=[policy.pk])
    page = admin_client.get(url).content.decode()
    values = {
        "environment": policy.environment_id,
        "name": policy.name,
        "lines": "users\nexperiments\n",
        "picked": ["public.leads"],
        "format": "auto",
        "cron": "15 3 * * *",
        "time_zone": "Europe/Madrid",
        "grace_minutes": 60,
        **KEEP,
    }

    answer = admin_client.post(url, values)

    policy.refresh_from_db()
    assert 'value="public.leads"' in page
    assert 'value="public.users" id="id_picked_' in " ".join(page.split())
    assert answer.status_code == 302
    assert policy.tables == ["experiments", "users", "public.leads"]


def test_ticks_keep_the_spelling_and_without_a_catalogue_the_lines_are_enough(
    admin_client: Client, run: Run, monkeypatch
) -> None:
    from backups.models import Policy

    Policy.objects.filter(name="audit-trail").update(tables=["users", "auth.*", "public.leads"])
    policy = Policy.objects.get(name="audit-trail")
    with_catalogue = PolicyForm(instance=policy)
    form = PolicyForm(
        {
            "environment": policy.environment_id,
            "name": policy.name,
            "format": "auto",
            "time_zone": "UTC",
            "grace_minutes": 60,
            "picked": ["public.users"],
            "lines": "auth.*",
            "not_wanted": ["vault"],
            **KEEP,
        },
        instance=policy,
    )
    saved = form.is_valid() and form.save()
    monkeypatch.delenv("SAMPELIT_PRODUCTION_EXPORT_DSN")
    without = PolicyForm(instance=policy)

    assert with_catalogue.fields["picked"].initial == ["public.users", "public.leads"]
    assert with_catalogue.fields["lines"].initial == "auth.*"
    assert (saved.tables, saved.not_wanted) == (["users", "auth.*"], ["vault"])
    assert without.fields["lines"].initial == "users\nauth.*"
    assert "is not set in this process" in str(without["picked"])


def test_the_page_of_a_store(admin_client: Client, run: Run, tmp_path, settings) -> None:
    from backups.stores import configured

    row = configured.report(settings.BACKUP_STORE)
    bucket = StoreReport.objects.create(url="s3://b/p?region=eu-west-1", usable=True)
    url = reverse("admin:backups_storereport_change", args=[row.pk])
    StoreReport.objects.filter(pk=row.pk).update(usable=False)

    answer = admin_client.post(url, follow=True)
    shown = admin_client.get(reverse("admin:backups_storereport_change", args=[bucket.pk])).content.decode()

    assert "conditional writes hold" in answer.content.decode()
    assert StoreReport.objects.get(pk=row.pk).usable
    assert "s3:PutObjectRetention" in shown
    viewer = Client()
    viewer.force_login(_viewer())
    assert viewer.post(url).status_code == 403


def _viewer() -> User:
    user = User.objects.create_user("vera", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_storereport"))
    return user


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("cron", "every day", "five cron fields"),
        ("time_zone", "Mars/Olympus", "zone of the tz database"),
        ("ping_url_env", "https://hc-ping.com/secret", "never its value"),
        ("lines", " ", "Name at least one table"),
    ],
)
def test_a_wrong_policy_is_explained(admin_client: Client, run: Run, field: str, value: str, said: str) -> None:
    from backups.models import Policy

    policy = Policy.objects.get(name="audit-trail")
    values = {
        "environment": policy.environment_id,
        "name": policy.name,
        "lines": "users",
        "format": "auto",
        "cron": "",
        "time_zone": "UTC",
        "grace_minutes": 60,
        **KEEP,
        field: value,
    }

    answer = admin_client.post(reverse("admin:backups_policy_change", args=[policy.pk]), values)

    assert answer.status_code == 200
    assert said in answer.content.decode()
