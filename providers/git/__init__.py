"""Read files of one commit of a Git repository, without a working tree and without running anything it holds.

In: a URL with an optional @commit. Out: (path, bytes). Only `git` as a subprocess, in a bare throwaway clone.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from providers.errors import ProviderError, Refused
from providers.git.process import run
from providers.git.source import Source, check_form, is_url, parse

__all__ = ["TIMEOUT_SECONDS", "check_form", "is_url", "reachable", "read_files"]

TIMEOUT_SECONDS = 120
_HEX = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True)
class _Git:
    """One reading: its bare clone and when it must be over."""

    folder: str
    source: Source
    until: float
    seconds: float

    def __call__(self, *arguments: str) -> bytes:
        return run(["--git-dir", self.folder, *arguments], self.source, self.until - time.monotonic(), self.seconds)


def reachable(source: str, *, seconds: float, local: bool = False) -> None:
    """Ask the repository for its HEAD and nothing more. Raises Refused and ProviderError."""
    asked = parse(source, local=local)
    run(["ls-remote", "--quiet", "--", asked.url, "HEAD"], asked, seconds, seconds)


def read_files(
    source: str,
    *,
    wanted: Callable[[str], bool],
    limit: int,
    seconds: float = TIMEOUT_SECONDS,
    local: bool = False,
) -> Iterator[tuple[str, bytes]]:
    """Yield the wanted regular files of the commit (HEAD without one), all within `seconds`.

    Raises Refused and ProviderError.
    """
    asked = parse(source, local=local)
    with tempfile.TemporaryDirectory(prefix="sampelit-ops-git-") as folder:
        git = _Git(folder, asked, time.monotonic() + seconds, seconds)
        git("init", "--bare", "--quiet", folder)
        commit = _fetch(git)
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


def _fetch(git: _Git) -> str:
    """Bring the commit here, alone where the server allows it; returns what names it."""
    plain, url, revision = ("fetch", "--quiet", "--no-recurse-submodules"), git.source.url, git.source.revision
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
