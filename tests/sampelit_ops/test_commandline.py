"""What the command line says where the portal's database is away, empty or named wrongly: sentences, no traceback."""

from __future__ import annotations

import os

import pytest
from django.db import OperationalError, ProgrammingError, connection

from providers.errors import ProviderError, Refused
from sampelit_ops import command_line
from sampelit_ops.database_guard import errors_as_sentences
from sampelit_ops.demo.environment import needs_database, read_demo_env
from sampelit_ops.demo.environment import portal_database as portal_database_of
from sampelit_ops.demo.launcher import _port
from sampelit_ops.variables import portal_database


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OperationalError("connection failed: refused\n\tIs it running?"),
            "does not serve us: connection",
        ),
        (ProviderError("The store is away. Nothing was written."), "The store is away"),
        (Refused("A rule says no."), "A rule says no."),
    ],
)
def test_what_a_person_can_mend_is_one_line(error, said):
    with pytest.raises(SystemExit, match=said) as ended, errors_as_sentences():
        raise error
    assert "\n" not in str(ended.value)


@pytest.mark.parametrize("word", ["a\udcffb", "--environment=\udc80", "\ud800"])
def test_a_word_that_is_no_text_is_refused_before_anything_is_asked(capsys, word):
    with pytest.raises(SystemExit) as ended:
        command_line.execute(["sampelit-ops", "doctor", word])

    assert ended.value.code == 2
    assert "is no UTF-8. Nothing was done" in capsys.readouterr().err


def test_ctrl_c_ends_without_a_traceback(capsys):
    with pytest.raises(SystemExit) as ended, errors_as_sentences():
        raise KeyboardInterrupt

    assert ended.value.code == 130
    assert "A requested operation goes on" in capsys.readouterr().err


@pytest.mark.django_db
def test_another_schema_is_said_and_a_mistake_of_ours_stays_a_traceback():
    with (
        pytest.raises(SystemExit, match=r"another schema.*sampelit-ops migrate"),
        errors_as_sentences(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT * FROM no_such_table")
    with pytest.raises(ProgrammingError), errors_as_sentences():
        raise ProgrammingError("syntax error")


@pytest.mark.parametrize(
    ("line", "needs"),
    [
        ("ops list", True),
        ("ops --help", False),
        ("export policy.toml --store file:///x", False),
        ("verify_run X", True),
        ("verify_run X --store file:///x", False),
        ("analyze_sql a.sql", False),
        ("analyze_sql a.sql --environment production", True),
        ("", False),
    ],
)
def test_which_commands_need_the_portals_database(line, needs):
    assert needs_database(["manage.py", *line.split()]) is needs


def test_whoever_starts_the_sandbox_means_the_demo(monkeypatch):
    for name in ("DATABASE_URL", "DEMO"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr("sampelit_ops.demo.environment.read_demo_env", dict)

    with portal_database_of(["manage.py", "sandbox"]):
        assert os.environ["DEMO"] == "1"


@pytest.mark.parametrize(
    "url", ["garbage", "mysql://a:hunter2@db/x", "postgresql://a:hun/ter2@db/x", "postgresql://a:hunter2@db:5432/"]
)
def test_a_wrong_database_url_is_said_and_not_repeated(url):
    with (
        pytest.raises(SystemExit, match=r"DATABASE_URL is not a PostgreSQL URL.*Nothing was done") as ended,
        errors_as_sentences(),
    ):
        portal_database(url)
    assert "hun" not in str(ended.value)


def test_a_database_url_may_set_its_own_options():
    config = portal_database("postgresql://a:p%2Fw@db:6543/x?sslmode=require&connect_timeout=2")
    assert config["PASSWORD"] == "p/w"
    assert {name: config["OPTIONS"][name] for name in ("connect_timeout", "sslmode", "keepalives_count")} == {
        "connect_timeout": 2,
        "sslmode": "require",
        "keepalives_count": 3,
    }


def test_a_demo_of_another_user_is_refused_by_name(tmp_path, monkeypatch):
    mine = tmp_path / "demo.env"
    mine.touch()
    monkeypatch.setattr("os.access", lambda *_: False)

    with pytest.raises(SystemExit, match=r"belongs to \w+: nothing was done. Run as that user, or set OPS_DATA_DIR"):
        read_demo_env(mine)


@pytest.mark.parametrize("asked", ["eighty", "99999"])
def test_a_port_that_cannot_be_had_is_refused(asked):
    with pytest.raises(SystemExit, match=f"PORT={asked} is taken or no port; nothing was started"):
        _port(asked, None)
