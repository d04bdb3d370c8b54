"""The commands that work on a store alone: pytest-django fails them if they touch the portal's database."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from providers import postgres
from providers.storage.base import Store
from tests.backups.test_proof import flip, path_of


def answer_of(name: str, *arguments: str) -> dict:
    out = io.StringIO()
    try:
        call_command(name, *arguments, "--json", stdout=out)
    except SystemExit as end:
        return {**json.loads(out.getvalue()), "exit": end.code}
    listed = json.loads(out.getvalue())
    return {**listed, "exit": 0} if isinstance(listed, dict) else {"list": listed, "exit": 0}


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sampelit) -> str:
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", sampelit["export"])
    path = tmp_path / "policy.toml"
    path.write_text(
        'name = "mine"\nenvironment = "production"\ntables = ["algorithm_audit_trail", "experiments", "users"]\n'
    )
    return str(path)


def test_export_list_verify_restore(policy: str, store: Store, empty_database: str, monkeypatch) -> None:
    monkeypatch.setenv("MY_TARGET", empty_database)

    done = answer_of("export", policy, "--store", store.url)
    listed = answer_of("list_runs", "--store", store.url)["list"]
    verified = answer_of("verify_run", done["run"], "--store", store.url)
    deep = answer_of("verify_run", done["run"], "--store", store.url, "--deep")
    restored = answer_of("restore_run", done["run"], "--store", store.url, "--into-env", "MY_TARGET")

    assert (done["status"], done["exit"], done["problems"]) == ("proven", 0, [])
    assert [(item["run"], item["status"]) for item in listed] == [(done["run"], "proven")]
    assert verified == {"run": done["run"], "status": "proven", "problems": [], "exit": 0}
    assert deep == {"run": done["run"], "status": "proven", "problems": [], "exit": 0}
    assert restored["rows"] == done["rows"]
    with postgres.connect(empty_database) as connection:
        count = connection.execute("SELECT count(*) FROM public.algorithm_audit_trail").fetchone()
    assert count == (600,)


def test_verify_finds_a_flipped_byte_and_restore_writes_nothing(policy, store, empty_database, monkeypatch) -> None:
    monkeypatch.setenv("MY_TARGET", empty_database)
    done = answer_of("export", policy, "--store", store.url, "--no-proof")
    flip(next(path_of(store, f"runs/{done['run']}/1").rglob("*.csv.zst")))

    verified = answer_of("verify_run", done["run"], "--store", store.url)

    assert verified["exit"] == 1
    assert "was altered" in verified["problems"][0]
    with pytest.raises(CommandError, match="nothing was written to the target"):
        answer_of("restore_run", done["run"], "--store", store.url, "--into-env", "MY_TARGET")
    with postgres.connect(empty_database) as connection:
        assert postgres.table_sizes(connection) == {}


def test_a_run_that_does_not_exist(store: Store) -> None:
    store.put_once("probe/here", b"1")

    assert answer_of("verify_run", "NONE", "--store", store.url)["exit"] == 1


@pytest.mark.django_db
def test_a_run_that_the_portal_does_not_know_is_not_valid() -> None:
    answer = answer_of("verify_run", "NONE")

    assert (answer["exit"], answer["status"]) == (1, "failed")
    assert "Give --store URL" in answer["problems"][0]


@pytest.mark.parametrize("option", ["--into-env", "--into-service"])
def test_a_password_in_argv_is_refused(store: Store, option: str) -> None:
    with pytest.raises(CommandError, match="Nothing was written") as caught:
        call_command("restore_run", "R", "--store", store.url, option, "postgresql://u:verysecret@h/d")
    assert caught.value.returncode == 2
    assert "verysecret" not in str(caught.value)


def test_restoring_over_the_source_is_refused(policy, store, sampelit, monkeypatch) -> None:
    done = answer_of("export", policy, "--store", store.url, "--no-proof")
    monkeypatch.setenv("MY_TARGET", sampelit["admin"])

    with pytest.raises(CommandError, match=r"the very database that .+ was taken from"):
        answer_of("restore_run", done["run"], "--store", store.url, "--into-env", "MY_TARGET")


def test_restoring_twice_is_refused_and_changes_nothing(policy, store, empty_database, monkeypatch) -> None:
    done = answer_of("export", policy, "--store", store.url, "--no-proof")
    monkeypatch.setenv("MY_TARGET", empty_database)
    answer_of("restore_run", done["run"], "--store", store.url, "--into-env", "MY_TARGET")

    with pytest.raises(CommandError, match=r"already holds public\.algorithm_audit_trail"):
        answer_of("restore_run", done["run"], "--store", store.url, "--into-env", "MY_TARGET")


def test_only_one_chain(policy, store, empty_database, sampelit, monkeypatch) -> None:
    with postgres.connect(sampelit["export"]) as connection:
        chain, rows = connection.execute(
            "SELECT experiment_id::text, count(*) FROM public.algorithm_audit_trail GROUP BY 1 LIMIT 1"
        ).fetchone()
    done = answer_of("export", policy, "--store", store.url, "--no-proof")
    monkeypatch.setenv("MY_TARGET", empty_database)

    answer_of("restore_run", done["run"], "--store", store.url, "--into-env", "MY_TARGET", "--chain", chain)

    with postgres.connect(empty_database) as connection:
        counts = connection.execute("SELECT count(*), count(DISTINCT experiment_id) FROM public.algorithm_audit_trail")
        assert counts.fetchone() == (rows, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "not TOML"),
        ('name = "x"', "environment must be"),
        ('name = "x"\nenvironment = "p"\ntables = []', "name at least one table"),
        ('name = "x"\nenvironment = "p"\ntables = ["a"]\nformat = "xml"', "format must be one of"),
        ('name = "x"\nenvironment = "p"\ntables = ["a"]\nother = 1', "unknown keys: other"),
    ],
)
def test_a_bad_policy_file(tmp_path: Path, store: Store, text: str, said: str) -> None:
    (tmp_path / "p.toml").write_text(text)

    with pytest.raises(CommandError, match=said) as caught:
        answer_of("export", str(tmp_path / "p.toml"), "--store", store.url)
    assert caught.value.returncode == 2


@pytest.mark.parametrize(
    "argv",
    [
        ["list_runs"],
        ["verify_run", "RUN"],
        ["restore_run", "RUN", "--into-env", "SOME_DSN"],
        ["table_csv", "RUN", "users"],
        ["keys", "check"],
    ],
    ids=lambda argv: argv[0],
)
def test_a_mistyped_directory_is_no_empty_store(argv: list[str], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SOME_DSN", "host=127.0.0.1 port=9 dbname=x")

    with pytest.raises(CommandError, match=r"There is no directory .*/mistyped") as caught:
        call_command(*argv, "--store", f"file://{tmp_path}/mistyped")

    assert caught.value.returncode == 2
    assert not (tmp_path / "mistyped").exists()


def test_a_key_whose_private_half_cannot_be_kept_is_not_made(tmp_path: Path) -> None:
    taken, shown = tmp_path / "key", io.StringIO()
    taken.write_text("another key")

    with pytest.raises(CommandError, match=r"cannot be made: File exists\. No key was made"):
        call_command("keys", "create", "age", out=str(taken), stdout=shown)

    assert (shown.getvalue(), taken.read_text()) == ("", "another key")
