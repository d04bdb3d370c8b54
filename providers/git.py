"""Read files of one commit of a Git repository, without a working tree and without running anything it holds.

In: a URL with an optional @commit. Out: (path, bytes). Only `git` as a subprocess, in a bare throwaway clone.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from providers.errors import ProviderError, Refused
from providers.redact import redact

TIMEOUT_SECONDS = 120
_URL = re.compile(r"^(?:(?:https?|ssh|git|file)://|[\w.-]+@[\w.-]+:)", re.I)
_HEX = re.compile(r"[0-9a-f]{7,40}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_SETTINGS = ["-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "credential.helper="]


def is_url(source: str) -> bool:
    """Whether a source is meant as a Git URL."""
    return bool(_URL.match(source))


def read_files(source: str, *, wanted: Callable[[str], bool], limit: int) -> Iterator[tuple[str, bytes]]:
    """Yield the wanted regular files of the commit (HEAD without one). Raises Refused and ProviderError."""
    url, revision = _split(source)
    with tempfile.TemporaryDirectory(prefix="sampelit-ops-git-") as folder:
        _git(["init", "--bare", "--quiet", folder], None)
        commit = _fetch(url, revision, folder)
        total = 0
        for entry in _git(["ls-tree", "-r", "-l", "-z", commit], folder).split(b"\0"):
            fields, _, raw_path = entry.partition(b"\t")
            path = raw_path.decode("utf-8", "replace")
            if not entry or not wanted(path):
                continue
            mode, kind, identity, size = fields.split()
            if kind != b"blob" or mode not in (b"100644", b"100755"):
                raise Refused(f"{path} is a link or a submodule; nothing was read.")
            total += int(size)
            if total > limit:
                raise Refused(f"the commit's migrations are larger than {limit} bytes; nothing was read.")
            yield path, _git(["cat-file", "blob", identity.decode()], folder)


def _fetch(url: str, revision: str, folder: str) -> str:
    """Bring the commit here, alone where the server allows it; returns what names it."""
    shallow = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--depth=1", "--", url, revision]
    try:
        _git(shallow, folder)
        return "FETCH_HEAD"
    except ProviderError as error:
        if not _HEX.fullmatch(revision):
            raise
        first = error
    try:  # a shortened commit, or a server that gives out branches and tags only
        _git(["fetch", "--quiet", "--no-recurse-submodules", "--", url, "+refs/*:refs/*"], folder)
        return _git(["rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"], folder).decode().strip()
    except ProviderError:
        raise first from None


def _split(source: str) -> tuple[str, str]:
    """URL and revision; the @ of user@host belongs to the URL."""
    if "://" in source:
        if urlsplit(source).password:
            raise Refused(
                "A Git URL with a password would stay in the process list; nothing was read. Use a credential helper."
            )
        scheme, _, rest = source.partition("://")
        host, slash, path = rest.partition("/")
        start = f"{scheme}://{host}{slash}"
    else:
        host, colon, path = source.partition(":")
        start = host + colon
    path, _, revision = path.rpartition("@") if "@" in path else (path, "", "HEAD")
    if not _REVISION.fullmatch(revision):
        raise Refused(f"{revision!r} is no commit, branch or tag; nothing was read.")
    return start + path, revision


def _git(arguments: list[str], folder: str | None) -> bytes:
    environment = {
        "PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "/nonexistent"), "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0",
    }  # fmt: skip
    place = ["--git-dir", folder] if folder else []
    try:
        answer = subprocess.run(
            ["git", *_SETTINGS, *place, *arguments],
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
            env=environment,
        )
    except FileNotFoundError:
        raise Refused("git is not installed here; nothing was read.") from None
    except subprocess.TimeoutExpired:
        raise ProviderError(
            f"git did not answer within {TIMEOUT_SECONDS} s; nothing was read.", retryable=True
        ) from None
    if answer.returncode:
        said = redact(
            answer.stderr.decode("utf-8", "replace").strip().splitlines()[-1] if answer.stderr.strip() else "no reason"
        )
        raise ProviderError(f"git {arguments[0]} failed: {said}. Nothing was read.", retryable=False)
    return answer.stdout
