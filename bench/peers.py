"""The peers' side: shell pipelines of pg_dump, psql, zstd and aws, timed from start to end. They must succeed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from bench.data import TABLE
from bench.ours import Took, cpu_seconds
from providers.embedded_postgres.install import bin_dir


def shell(pipeline: str, environment: Mapping[str, str], output: Path | None) -> Took:
    """Run one pipeline under bash with pipefail; a peer that fails stops the benchmark."""
    began, cpu = time.monotonic(), cpu_seconds()
    subprocess.run(["bash", "-o", "pipefail", "-c", pipeline], env=dict(environment), check=True, capture_output=True)
    seconds, used = time.monotonic() - began, cpu_seconds() - cpu
    size = output.stat().st_size if output else 0
    if output:
        output.unlink()
    return Took(seconds, size, used)


def psql_zstd(environment: Mapping[str, str], directory: Path, level: int = 3) -> Took:
    out = directory / "psql.csv.zst"
    copy = f"\\copy public.{TABLE} to stdout with (format csv, header)"
    return shell(f"{bin_dir()}/psql -qXc '{copy}' | zstd -{level} -T0 -q -o {out}", environment, out)


def pg_dump_zstd1(environment: Mapping[str, str], directory: Path) -> Took:
    out = directory / "dump.zst"
    return shell(f"{bin_dir()}/pg_dump -Fc -Z zstd:1 -t public.{TABLE} -f {out}", environment, out)


def pg_dump_to_s3(environment: Mapping[str, str], endpoint: str, bucket: str) -> Took:
    dump = f"{bin_dir()}/pg_dump -Fc -t public.{TABLE}"
    target = f"s3://{bucket}/peer/dump"
    return shell(f"{dump} | aws --endpoint-url {endpoint} --region us-east-1 s3 cp - {target}", environment, None)
