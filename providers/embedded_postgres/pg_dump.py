"""PostgreSQL's own tool for schemas: pg_dump inside an exported snapshot, and its archive as a script for people.

In: a DSN, a snapshot that a session holds open, tables to leave alone. Out: bytes. Raises ProviderError with what the
program said; a password reaches it by an unlinked file alone.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import conninfo, pq

from providers.embedded_postgres.install import bin_dir
from providers.errors import ProviderError, Refused
from providers.postgres.schema.model import Name
from providers.processes import kill_group, spawn

LOCK_WAIT_MS = 10_000
LOOK_SECONDS = 1.0
PASSED_ON = re.compile("^(PG[A-Z]+|HOME|PATH)$")
NEWER = re.compile(r"server version: (?P<server>[^\s;]+)[^;\n]{0,80}; pg_dump version: (?P<ours>\S+)")


def dump_schema(
    dsn: str,
    snapshot: str,
    without: Sequence[Name] = (),
    check: Callable[[], None] = lambda: None,
    major: int = 0,
    strings: str | None = "on",
) -> bytes:
    """An archive (-Fc) of every definition in the snapshot; `without`: tables that the role may not lock.

    The programs of `major` are used: it is at least the server's. `strings`: standard_conforming_strings of a session
    there, which pg_dump leaves as it is; where it is off its own session is told otherwise, as some poolers allow no
    such thing.
    """
    if strings == "off":
        own = conninfo.conninfo_to_dict(dsn).get("options") or _default("options") or ""
        dsn = conninfo.make_conninfo(dsn, options=f"{own} -c standard_conforming_strings=on".strip())
    wanted = ["--format=custom", "--schema-only", "--no-sync", f"--snapshot={snapshot}"]
    wanted += [f"--lock-wait-timeout={LOCK_WAIT_MS}", *(f"--exclude-table={_pattern(name)}" for name in without)]
    with _reaching(dsn) as (address, environment, files):
        return _output(bin_dir(major) / "pg_dump", [*wanted, f"--dbname={address}"], environment, files, check=check)


def as_script(archive: bytes, major: int = 0) -> bytes:
    """The same as SQL for psql."""
    return _output(bin_dir(major) / "pg_restore", ["--file=-"], {"PATH": os.defpath}, [], given=archive)


@contextmanager
def _reaching(dsn: str) -> Iterator[tuple[str, dict[str, str], list[int]]]:
    """The address for argv without its password, the environment, and the file that libpq finds the password in."""
    parts = conninfo.conninfo_to_dict(dsn)
    password = parts.pop("password", None) or _default("password")
    environment = {k: v for k, v in os.environ.items() if PASSED_ON.match(k) and k != "PGPASSWORD"} | {"LC_ALL": "C"}
    address = conninfo.make_conninfo("", **parts)
    if password is None:
        yield address, environment, []
        return
    with tempfile.TemporaryFile() as file:
        escaped = str(password).replace("\\", "\\\\").replace(":", "\\:")
        file.write(f"*:*:*:*:{escaped}\n".encode())
        file.flush()
        yield address, environment | {"PGPASSFILE": f"/dev/fd/{file.fileno()}"}, [file.fileno()]


def _default(keyword: str) -> str | None:
    """What libpq itself takes where an address says nothing."""
    values = {option.keyword: option.val for option in pq.Conninfo.get_defaults()}
    value = values.get(keyword.encode())
    return value.decode() if value else None


def _output(
    program: Path,
    arguments: Sequence[str],
    environment: dict[str, str],
    files: Sequence[int],
    *,
    given: bytes | None = None,
    check: Callable[[], None] = lambda: None,
) -> bytes:
    argv: list[str | Path] = [program, *arguments]
    pipes: dict[str, Any] = dict.fromkeys(["stdin", "stdout", "stderr"], subprocess.PIPE) | {"pass_fds": files}
    process = spawn(argv, env=environment, **pipes)
    try:
        while True:
            try:
                output, said = process.communicate(given, timeout=LOOK_SECONDS)
                break
            except subprocess.TimeoutExpired:
                given = None  # it is on its way
                check()
    except BaseException:
        kill_group(process, grace=1)
        raise
    if process.returncode:
        raise _problem(program.name, said.decode(errors="replace"))
    return output


def _problem(program: str, said: str) -> ProviderError | Refused:
    """What the program said last, in one sentence."""
    if match := NEWER.search(said):
        return Refused(
            f"The server is PostgreSQL {match['server']}, and the pg_dump here is {match['ours']}. Nothing was copied. "
            "Install a release of this portal whose PostgreSQL is at least as new as the server."
        )
    lines = [line for line in said.splitlines() if "error:" in line] or said.splitlines() or ["no reason"]
    text = re.sub(rf"^{program}: (error: )?", "", lines[0].strip()).rstrip(".")
    return ProviderError(f"{program} stopped: {text}. The run was not stored. Look at the database's log.", True)


def _pattern(name: Name) -> str:
    """A pattern that means this table alone (psql's rules: in quotes nothing is a wildcard)."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name)
