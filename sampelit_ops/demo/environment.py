"""The demo's variables: read from `.data/demo.env` when DATABASE_URL is unset; set ones win (docs/design.md 11).

In: argv. Out: os.environ with the demo's values, and its embedded database running while the command runs.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sampelit_ops.demo.paths import DEMO_ENV

# These work on a store, on files or on nothing, and must run where no portal database exists.
WITHOUT_DATABASE = {
    "export",
    "restore_run",
    "list_runs",
    "table_csv",
    "sandbox",
    "help",
    "version",
    "--help",
    "--version",
    "check",
    "makemigrations",
    "makemessages",
    "collectstatic",
    "analyze_sql",
    "keys",
    "store_policies",
    "validate_blueprint",
    "test",
}


def needs_database(argv: list[str]) -> bool:
    """Whether this command line works on the portal's own database."""
    command = argv[1] if len(argv) > 1 else "help"
    placed = any(word.startswith("--environment") for word in argv)
    if {"-h", "--help"} & set(argv):
        return placed and argv[1:3] == ["ops", "request"]
    if command in ("analyze_sql", "discover_migrations"):
        return placed
    if command == "ops" and argv[2:3] == ["kinds"]:
        return False
    if command == "verify_run":
        return not any(word.startswith("--store") for word in argv)
    return command not in WITHOUT_DATABASE


def read_demo_env(path: Path = DEMO_ENV) -> dict[str, str]:
    """NAME=value lines; an absent file is an empty dict. Raises SystemExit where it is another user's."""
    if not path.exists():
        return {}
    if not os.access(path, os.R_OK):
        raise SystemExit(another_users(path))
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def another_users(path: Path) -> str:
    """What to tell whoever runs the demo of somebody else (often root's)."""
    owner = pwd.getpwuid(path.stat().st_uid).pw_name
    return f"{path} belongs to {owner}: nothing was done. Run as that user, or set OPS_DATA_DIR to a place of your own."


def write_demo_env(values: Mapping[str, str], path: Path = DEMO_ENV) -> None:
    """Write the file as a whole, readable by its owner only."""
    path.parent.mkdir(mode=0o755, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.touch(mode=0o600)
    partial.write_text("".join(f"{name}={value}\n" for name, value in sorted(values.items())), encoding="utf-8")
    partial.replace(path)


@contextmanager
def portal_database(argv: list[str]) -> Iterator[None]:
    """Fill the environment from the demo where it is silent, and keep the demo's database up for the body."""
    if os.environ.get("DATABASE_URL"):
        yield
        return
    values = read_demo_env()
    for name, value in values.items():
        os.environ.setdefault(name, value)
    if argv[1:2] == ["sandbox"]:  # whoever starts it means the demo; it is installed only there
        os.environ.setdefault("DEMO", "1")
    if not needs_database(argv):
        yield
        return
    if not values:
        raise SystemExit(
            "DATABASE_URL is not set and there is no demo in .data/demo.env; nothing was done. "
            "Run `make run` once for the demo, or set DATABASE_URL to the portal's own PostgreSQL."
        )
    from sampelit_ops.demo.database import demo_server

    with demo_server() as dsn:
        os.environ["DATABASE_URL"] = dsn
        yield
