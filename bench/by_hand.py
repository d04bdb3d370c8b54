"""A proven, encrypted backup without this project: pg_dump, age, a fresh cluster, pg_restore, counts and digests.

In: the source's DSN and environment, a directory, age keys. Out: Took with the seconds of each step. The digest is the
sum of the md5 of every row's text, as one writes it by hand; it must be equal on both sides.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg

from bench.data import TABLE, peer_environment
from bench.ours import Took, cpu_seconds
from bench.peers import shell
from providers.embedded_postgres.install import bin_dir
from providers.embedded_postgres.throwaway import throwaway

DIGEST = f"""
    SELECT count(*), sum(('x' || left(md5(t::text), 16))::bit(64)::bigint::numeric) FROM public.{TABLE} t
"""  # noqa: S608 (a constant)
DUMP = "{bin}/pg_dump -Fc -Z zstd:1 -t public.{table} | age {recipients} -o {out}"
RESTORE = "{bin}/pg_restore -j2 --no-owner --no-privileges --exit-on-error -d postgres {plain}"


def by_hand(dsn: str, directory: Path, recipients: Sequence[str], identity: str) -> Took:
    """Seconds of it all; raises where a step fails or the copy is not the source."""
    began, cpu, parts = time.monotonic(), cpu_seconds(), dict[str, float]()
    stored, plain, key = directory / "dump.age", directory / "dump", directory / "identity"
    key.write_text(identity + "\n")
    source = peer_environment(dsn)
    to = " ".join(f"-r {recipient}" for recipient in recipients)
    parts["dump, age"] = shell(DUMP.format(bin=bin_dir(), table=TABLE, recipients=to, out=stored), source, None).seconds
    wanted = _digest(source, "digest of the source", parts)
    size = stored.stat().st_size
    with throwaway() as server:
        parts["initdb, start"] = time.monotonic() - began - sum(parts.values())
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute('CREATE EXTENSION "uuid-ossp"')
        target = peer_environment(server.dsn())
        parts["age -d"] = shell(f"age -d -i {key} -o {plain} {stored}", source, None).seconds
        parts["pg_restore -j2"] = _restored(plain, target)
        if _digest(target, "digest of the copy", parts) != wanted:
            raise RuntimeError("the copy made by hand is not the source")
    for path in (stored, plain, key):
        path.unlink()
    seconds = time.monotonic() - began
    return Took(seconds, size, cpu_seconds() - cpu, {name: round(value, 2) for name, value in parts.items()})


def _restored(plain: Path, target: Mapping[str, str]) -> float:
    """The table alone: its foreign key leads to one that was not dumped, so that item is left out of the list."""
    listed = plain.with_suffix(".list")
    restore = RESTORE.format(bin=bin_dir(), plain=plain)
    took = shell(
        f"{bin_dir()}/pg_restore -l {plain} | grep -v 'FK CONSTRAINT' > {listed} && {restore} -L {listed}",
        target,
        listed,
    )
    return took.seconds


def _digest(environment: Mapping[str, str], part: str, parts: dict[str, float]) -> str:
    began = time.monotonic()
    argv = [str(bin_dir() / "psql"), "-qXAt", "-c", DIGEST]
    said = subprocess.run(argv, env=dict(environment), check=True, capture_output=True, text=True).stdout
    parts[part] = time.monotonic() - began
    return said.strip()
