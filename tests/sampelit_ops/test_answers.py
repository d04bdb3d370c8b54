"""Every verb and command answers with --json, refusals too, and what is light imports nothing heavy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command, load_command_class
from django.core.management.base import CommandError
from django.db import transaction

from operations.management.verbs import OF_ONE, OTHERS
from operations.models import Operation
from operations.worker.supervisor import Supervisor
from providers.answers import AnsweringCommand, columns
from sampelit_ops.command_line import APPS, ROOT, commands_of
from sampelit_ops.management.commands import permission_matrix
from tests import factories

# What each is called with; some of it is refused, and says so in JSON as well.
CALLS = {
    "adopt_supabase_cli": "DIRECTORY",
    "advisor_findings": "",
    "analyze_sql": "FILE",
    "app_role": "",
    "confirm_approver": "nobody",
    "coverage": "--environment nowhere",
    "decision_history": "exp 1 --environment nowhere",
    "demo_alarm": "forge-row",
    "demo_code": "viewer",
    "discover_migrations": "DIRECTORY",
    "doctor": "--only ledger",
    "drift": "--environment nowhere",
    "evidence": "--report nothing",
    "export": "FILE --store file:///nowhere",
    "find": "production --as everything",
    "first_admin": "--email first@example.com",
    "function_bundles": "",
    "incidents": "",
    "keep_function": "DIRECTORY --function f --as everything",
    "keys": "list",
    "list_runs": "--store file:///nowhere",
    "migrations_gate": "--environment nowhere",
    "migrations_status": "--kept",
    "outsiders": "",
    "permission_matrix": "",
    "probe_store": "--store file://DIRECTORY",
    "recover": "--store file:///nowhere",
    "recover_migration": "nothing --lost project",
    "recover_options": "--lost project --at 2026-11-23T04:05:06Z",
    "render_drift": "-e nowhere",
    "reseal_factors": "",
    "restore_run": "X --store file:///nowhere --into-env NOTHING",
    "retention": "nothing",
    "roles": "everything",
    "run_worker": "--pool export",
    "sandbox": "--rows 0",
    "setup": "--supabase nowhere=x",
    "slots": "list",
    "store_policies": "--store s3://bucket/x?endpoint=https://s3.example.com&region=r",
    "sync_deployments": "",
    "sync_functions": "--environment nowhere",
    "sync_provider_backups": "--environment nowhere",
    "sync_roles": "",
    "table_csv": "X public.t --store file:///nowhere",
    "tick": "",
    "validate_blueprint": "FILE --offline",
    "verify_evidence": "FILE",
    "verify_ledger": "",
    "verify_run": "nothing",
    "witness": "--compare FILE",
    **{f"ops {verb}": "ID --as everything" for verb in OF_ONE},
    "ops request": "rehearsal.routine --environment production --set key=k --as everything",
    "ops kinds": "",
    "ops list": "--as everything",
    "ops token": "list --as everything",
    "ops ledger": "compare FILE",
}
# Their standard output is read by a program or a person as it is; nothing follows from it.
NO_NEXT = {"demo_code", "permission_matrix", "run_worker", "sandbox", "sync_roles", "table_csv", "tick", "analyze_sql"}
PRINT_JSON = {"recover_migration", "recover_options", "store_policies"}  # also without the option
HEAVY = (
    "boto3",
    "botocore",
    "postgast",
    "django_q.cluster",
    "playwright",
    "webauthn",
    "joserfc",
    "sampelit_ops.urls",
    "operations.admin",
    "backups.admin",
)


def test_the_table_names_every_command() -> None:
    commands = {name for app in APPS for name in commands_of(app)} | {"sandbox"}

    assert {name for name in CALLS if " " not in name} == commands
    assert {name.removeprefix("ops ") for name in CALLS if " " in name} == {*OF_ONE, *OTHERS}


def test_one_mechanism_prints_them_all() -> None:
    for app in (*APPS, "sandbox"):
        for name in (*commands_of(app), *(["ops"] if app == "operations" else [])):
            assert isinstance(load_command_class(app, name), AnsweringCommand), name
            text = (ROOT / app / "management" / "commands" / f"{name}.py").read_text()
            assert '"--json"' not in text, name
            assert "json.dumps(" not in text or name in PRINT_JSON, name
            assert "follow" in text or name in {*NO_NEXT, "ops"}, name


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the words in capitals stand for."""
    monkeypatch.setattr(Supervisor, "run", lambda self: 0)
    monkeypatch.setattr(permission_matrix, "addresses", list)  # each page as each role takes minutes
    monkeypatch.delenv("OPS_TOKEN", raising=False)
    world = factories.world()
    (tmp_path / "file.sql").write_text("SELECT 1")
    kept = tmp_path / "kept"
    kept.mkdir()
    return {"FILE": str(tmp_path / "file.sql"), "DIRECTORY": str(kept), "ID": world.operations["waiting"].pk}


def called(name: str, line: str, words: dict[str, str]) -> tuple[str, str]:
    """Both streams of one call, whose rows are taken back."""
    out, err = StringIO(), StringIO()
    arguments = [_filled(word, words) for word in f"{name} {line} --json".split()]
    try:
        with transaction.atomic():
            call_command(*arguments, stdout=out, stderr=err)
            transaction.set_rollback(True)
    except (CommandError, SystemExit):
        pass
    return out.getvalue(), err.getvalue()


def _filled(word: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        word = value if word == name else word.replace(f"file://{name}", f"file://{value}")
    return word


@pytest.mark.django_db(transaction=True)
def test_every_answer_and_every_refusal_is_json(words: dict[str, str]) -> None:
    wrong = {}
    for name, line in CALLS.items():
        out, _ = called(name, line, words)
        try:
            documents = [json.loads(each) for each in out.splitlines()]
        except ValueError as error:
            wrong[name] = f"{error}: {out[:200]}"
        else:
            if not documents and name != "advisor_findings":
                wrong[name] = "said nothing"

    assert wrong == {}


def test_columns_align_and_end_without_blanks() -> None:
    assert columns([("a", 1, None), ("long", 22, "x")]) == ["a     1", "long  22  x"]
    assert columns([]) == []


@pytest.mark.parametrize("line", ["--help", "kinds --json", "request deployments.deploy --help", "list", "show 1"])
def test_what_is_light_imports_nothing_heavy(line: str) -> None:
    """The last two end where their database does not answer; by then everything they need is imported."""
    code = (
        f"import sys; sys.argv = ['sampelit-ops', *{line.split()}]; from sampelit_ops import command_line\n"
        "try: command_line.main()\n"
        "finally: print([name for name in sys.modules], file=sys.stderr)"
    )
    environment = {**os.environ, "OPS_TOKEN": "x", "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nowhere"}

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )

    assert done.stdout or "database" in done.stderr
    loaded = next(each for each in done.stderr.splitlines() if each.startswith("['sys'"))
    assert [name for name in HEAVY if f"'{name}'" in loaded] == []


@pytest.mark.django_db(transaction=True)
def test_the_next_step_follows_an_answer_and_stays_out_of_json(words: dict[str, str]) -> None:
    """On standard error: what is piped on stays the answer alone."""
    for name, line in (("doctor", "--only ledger"), ("slots", "list"), ("ops", "kinds"), ("roles", "everything")):
        out, err = StringIO(), StringIO()
        call_command(name, *line.split(), stdout=out, stderr=err)
        assert err.getvalue().startswith("Next: "), name
        assert "Next: " not in out.getvalue(), name
        assert "Next: " not in "".join(called(name, line, words)), name
    assert Operation.objects.exists()
