"""`python -m migrations_registry.analysis` as a hook and an action call it: no Django, the portal's verdicts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.command import main as command
from migrations_registry.analysis.command.report import as_json
from migrations_registry.analysis.rule_registry import CATALOGUE

REPOSITORY = Path(__file__).resolve().parents[2]
ALONE = """
import sys
from pathlib import Path
from migrations_registry.analysis.command.main import main
code = main(sys.argv[1:])
heavy = [name for name in ("django", "google", "psycopg", "requests") if name in sys.modules]
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
peak = next((line for line in lines if line.startswith("VmHWM")), "0 0")
print(code, heavy, int(peak.split()[1]) < 40 * 1024)
"""


@pytest.fixture
def samples(tmp_path: Path) -> list[Path]:
    """Every bad sample of every rule as a file."""
    texts = [text for rule in CATALOGUE.values() for text in rule.bad]
    paths = [tmp_path / f"{number:04}.sql" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return paths


def test_one_file_starts_neither_django_nor_protobuf(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text("DROP TABLE t")
    argv = [sys.executable, "-c", ALONE, str(tmp_path / "x.sql")]
    answer = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True)

    assert "destructive MD-DROP-TABLE" in answer.stdout
    assert answer.stdout.splitlines()[-1] == "1 [] True"


def test_many_files_on_all_cores_get_the_verdicts_of_the_registry(
    samples: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code = command.main([*map(str, samples), "--format", "json", "--jobs", "2"])

    lines = capsys.readouterr().out.splitlines()
    assert lines == [as_json(str(path), analyse(path.read_bytes(), as_runner=True)) for path in samples]
    assert code == 2


def test_sarif_places_what_is_above_convention(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.sql").write_text("SELECT 1;\nCREATE TABLE n (a int);\nDROP TABLE\nt;\nCREATE INDEX i ON o (a);\n")

    code = command.main([str(tmp_path / "x.sql"), "--format", "sarif"])

    run = json.loads(capsys.readouterr().out)["runs"][0]
    found = {result["ruleId"]: result for result in run["results"]}
    place = found["MD-DROP-TABLE"]["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": str(tmp_path / "x.sql")},
        "region": {"startLine": 3, "endLine": 4},
    }
    assert (found["MD-DROP-TABLE"]["level"], found["ML-INDEX"]["level"]) == ("error", "warning")
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == found.keys()
    assert code == 1


def test_what_cannot_be_read_and_wrong_usage_leave_with_three(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.sql").write_text("DROP TABLE t")

    assert command.main([str(tmp_path / "absent.sql"), str(tmp_path / "x.sql")]) == 3
    assert "MD-DROP-TABLE" in capsys.readouterr().out
    with pytest.raises(SystemExit) as end:
        command.main(["x.sql", "--pg-version", "new"])
    assert end.value.code == 3


def test_the_hook_and_the_action_name_what_is_there() -> None:
    hook, action, project = [
        (REPOSITORY / name).read_text() for name in (".pre-commit-hooks.yaml", "action.yml", "pyproject.toml")
    ]

    assert "entry: sampelit-analysis" in hook
    assert "sampelit-analysis" in action
    assert 'sampelit-analysis = "migrations_registry.analysis.command.main:main"' in project
