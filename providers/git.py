"""Read files of one commit of a Git repository, without a working tree and without running anything it holds.

In: a URL with an optional @commit. Out: (path, bytes). Only `git` as a subprocess, in a bare throwaway clone.
"""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from providers.errors import ProviderError, Refused
from providers.redact import redact

TIMEOUT_SECONDS = 120
SSH = "ssh -o BatchMode=yes -o ConnectTimeout=10"  # never a question nobody can answer
_URL = re.compile(r"^(?:(?:https?|ssh|git|file)://|[\w.-]+@[\w.-]+:)", re.I)
_HEX = re.compile(r"[0-9a-f]{7,40}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
_SETTINGS = ["-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "credential.helper="]


def is_url(source: str) -> bool:
    """Whether a source is meant as a Git URL."""
    return bool(_URL.match(source))


@dataclass(frozen=True)
class Access:
    """A token for one https host; it reaches git through its environment, never its arguments."""

    host: str
    token: str

    def settings(self, url: str) -> dict[str, str]:
        """Git's settings for this URL: the token goes to its own host only."""
        parts = urlsplit(url)
        if not self.token or parts.scheme != "https" or parts.hostname != self.host:
            return {}
        basic = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
        return {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"http.https://{self.host}/.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
        }


@dataclass(frozen=True)
class _Git:
    """One reading: its bare clone, when it must be over, what else git's environment holds."""

    folder: str
    until: float
    seconds: float
    more: dict[str, str]

    def __call__(self, *arguments: str) -> bytes:
        return _run(["--git-dir", self.folder, *arguments], self.until - time.monotonic(), self.seconds, self.more)


def access() -> Access:
    """OPS_GIT_TOKEN reads private repositories on OPS_GIT_HOST (github.com) and is shown to no other host."""
    return Access(os.environ.get("OPS_GIT_HOST", "") or "github.com", os.environ.get("OPS_GIT_TOKEN", ""))


def reachable(source: str, *, seconds: float) -> None:
    """Ask the repository for its HEAD and nothing more. Raises Refused and ProviderError."""
    url, _ = _split(source)
    _run(["ls-remote", "--quiet", "--", url, "HEAD"], seconds, seconds, access().settings(url))


def read_files(
    source: str, *, wanted: Callable[[str], bool], limit: int, seconds: float = TIMEOUT_SECONDS
) -> Iterator[tuple[str, bytes]]:
    """Yield the wanted regular files of the commit (HEAD without one), all within `seconds`.

    Raises Refused and ProviderError.
    """
    url, revision = _split(source)
    with tempfile.TemporaryDirectory(prefix="sampelit-ops-git-") as folder:
        git = _Git(folder, time.monotonic() + seconds, seconds, access().settings(url))
        git("init", "--bare", "--quiet", folder)
        commit = _fetch(git, url, revision)
        total = 0
        for entry in git("ls-tree", "-r", "-l", "-z", commit).split(b"\0"):
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
            yield path, git("cat-file", "blob", identity.decode())


def _fetch(git: _Git, url: str, revision: str) -> str:
    """Bring the commit here, alone where the server allows it; returns what names it."""
    plain = ("fetch", "--quiet", "--no-recurse-submodules")
    try:
        git(*plain, "--no-tags", "--depth=1", "--", url, revision)
        return "FETCH_HEAD"
    except ProviderError as error:
        if error.retryable or not _HEX.fullmatch(revision):
            raise
        first = error
    try:  # a shortened commit, or a server that gives out branches and tags only
        git(*plain, "--", url, "+refs/*:refs/*")
        return git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
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


def _run(arguments: list[str], left: float, seconds: float, more: dict[str, str]) -> bytes:
    """What git printed. Raises Refused and ProviderError (retryable: it did not answer in time)."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", "/nonexistent"),
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_SSH_COMMAND": SSH,
        **more,
    }
    try:
        process = subprocess.Popen(
            ["git", *_SETTINGS, *arguments],
            env=environment,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except FileNotFoundError:
        raise Refused("git is not installed here; nothing was read.") from None
    try:
        answer, complaint = process.communicate(timeout=max(0.1, left))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # with the helpers that speak to the host
        process.communicate()
        raise ProviderError(
            f"git did not answer within {seconds:g} s; nothing was read. Try again, or look at the repository's host.",
            retryable=True,
        ) from None
    if process.returncode:
        lines = complaint.decode("utf-8", "replace").strip().splitlines()
        reason = redact(lines[-1]) if lines else "no reason"
        verb = next(word for word in arguments if not word.startswith(("-", "/")))
        raise ProviderError(f"git {verb} failed: {reason}. Nothing was read.", retryable=False)
    return answer
