"""A seaweedfs server for tests and benchmarks: the S3 that enforces signature, checksum and conditions.

In: a directory. Out: an endpoint with the buckets `backups` and `locked` (with Object
Lock). It ignores SIGTERM for long, so it is killed.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from providers.processes import kill_group, spawn
from providers.storage.base import parse
from providers.storage.s3_client import client

ADMIN, ACCESS_KEY, SECRET_KEY = "sampelit-admin", "sampelit-test", "sampelit-test-secret"
BUCKET, LOCKED = "backups", "locked"
LOCKING = ("PutObjectRetention", "GetObjectRetention", "GetBucketObjectLockConfiguration")
WRITER = [f"{action}:{name}" for name in (BUCKET, LOCKED) for action in ("Read", "Write", "List", "Tagging", *LOCKING)]


def _identity(key: str, actions: list[str]) -> dict[str, object]:
    return {"name": key, "credentials": [{"accessKey": key, "secretKey": SECRET_KEY}], "actions": actions}


def _ports(count: int) -> list[int]:
    """Free ports whose gRPC twin (port + 10000) is free too."""
    ports: list[int] = []
    while len(ports) < count:
        with socket.socket() as one, socket.socket() as twin:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            try:
                twin.bind(("127.0.0.1", port - 10000 if port > 50000 else port + 10000))
            except OSError:
                continue
            ports.append(port - 10000 if port > 50000 else port)
    return ports


@contextmanager
def s3_server(directory: Path) -> Iterator[str]:
    """Start it, make the bucket, and kill it at the end of the block; on other ports when somebody took one."""
    for left in (2, 1, 0):
        with _started(directory) as (process, endpoint):
            try:
                _make_bucket(endpoint, process)
            except (BotoCoreError, ClientError):
                if not left:
                    raise
                continue
            yield endpoint
            return


@contextmanager
def _started(directory: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    master, volume, filer, s3 = _ports(4)
    config = directory / "s3.json"
    config.write_text(json.dumps({"identities": [_identity(ADMIN, ["Admin"]), _identity(ACCESS_KEY, WRITER)]}))
    argv: list[str | Path] = [
        Path(sys.executable).parent / "weed",
        f"-logdir={directory}",
        "server",
        f"-dir={directory}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-master.port={master}",
        f"-volume.port={volume}",
        "-filer",
        f"-filer.port={filer}",
        "-s3",
        f"-s3.port={s3}",
        f"-s3.config={config}",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=100",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",  # fixed ports otherwise: a second server on the machine would end
    ]
    with (directory / "log").open("wb") as log:
        process = spawn(argv, stdout=log, stderr=log, cwd=directory)
        try:
            yield process, f"http://127.0.0.1:{s3}"
        finally:
            kill_group(process, first=signal.SIGKILL)


def _make_bucket(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until it answers, at most 30 s; not at all for a process that has ended."""
    saved = {name: os.environ.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    os.environ.update(AWS_ACCESS_KEY_ID=ADMIN, AWS_SECRET_ACCESS_KEY=SECRET_KEY)
    try:
        s3 = client(parse(f"s3://{BUCKET}/x?endpoint={endpoint}"))
        until = time.monotonic() + 30
        while True:
            try:
                if LOCKED not in {item["Name"] for item in s3.list_buckets()["Buckets"]}:
                    s3.create_bucket(Bucket=LOCKED, ObjectLockEnabledForBucket=True)
                if BUCKET not in {item["Name"] for item in s3.list_buckets()["Buckets"]}:
                    s3.create_bucket(Bucket=BUCKET)
                s3.put_object(Bucket=BUCKET, Key="ready", Body=b"1")
                return
            except (BotoCoreError, ClientError):
                if time.monotonic() > until or process.poll() is not None:
                    raise
                time.sleep(0.3)
    finally:
        for name, value in saved.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
