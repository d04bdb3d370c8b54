"""Run git within limits of time, memory and bytes, with no settings but ours, and say what went wrong in our words.

In: git's arguments, the source, seconds. Out: what it printed. Raises Refused and ProviderError (retryable: no answer).
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence

from providers.errors import ProviderError, Refused
from providers.git.credential import handed_to
from providers.git.source import Source
from providers.processes import kill_group, spawn
from providers.redact import redact

MOST_PRINTED = 32 * 1024 * 1024
MOST_DISK_BYTES, MOST_MEMORY_BYTES, MOST_CPU_SECONDS = 1 << 30, 2 << 30, 60
_LIMITED = (
    f"ulimit -f {MOST_DISK_BYTES // 512}; ulimit -v {MOST_MEMORY_BYTES // 1024}; ulimit -t {MOST_CPU_SECONDS}; "
    'exec git "$@"'
)
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "credential.helper=",
    "http.followRedirects=false",
    "http.proxy=",
    "protocol.allow=never",
)
# What git repeats of an answer that a host gave; whatever else went wrong is one sentence, whichever port is open.
_ANSWERS = (
    (("couldn't find remote ref", "not our ref", "unadvertised object"), "there is no such commit, branch or tag"),
    (("returned error: 30", "redirect"), "its host redirects; give the address that it leads to, often with .git"),
    (
        ("returned error: 40", "not found", "Authentication failed", "could not read Username"),
        "there is no such repository, or not without a token",
    ),
)


def run(arguments: Sequence[str], source: Source, left: float, seconds: float) -> bytes:
    """What git printed; `left` of its `seconds` remain."""
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as complaint:
        with handed_to(source) as (credential, pipes):
            options = [part for setting in (*_SETTINGS, *source.settings, *credential) for part in ("-c", setting)]
            process = spawn(
                ["sh", "-c", _LIMITED, "git", *options, *arguments],
                env={**_environment(), **source.environment},
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=complaint,
                pass_fds=pipes,
            )
        try:
            code = process.wait(max(0.1, left))
        except subprocess.TimeoutExpired:
            kill_group(process, first=signal.SIGKILL)  # with the helpers that speak to the host
            raise _no_answer(seconds) from None
        if code:
            complaint.seek(max(0, complaint.seek(0, os.SEEK_END) - 4096))
            raise _failed(code, complaint.read().decode("utf-8", "replace"), seconds, source)
        if answer.seek(0, os.SEEK_END) > MOST_PRINTED:
            raise Refused("The repository lists more than git may print here; nothing was read.")
        answer.seek(0)
        return answer.read()


def _environment() -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": os.environ.get("HOME", "/nonexistent"),
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }


def _no_answer(seconds: float) -> ProviderError:
    return ProviderError(
        f"git did not answer within {seconds:g} s; nothing was read. Try again, or look at the repository's host.",
        retryable=True,
    )


def _failed(code: int, complaint: str, seconds: float, source: Source) -> Exception:
    """In our words for a host's answer; in git's own for a repository of this machine."""
    if code == 127:
        return Refused("git is not installed here; nothing was read.")
    for marks, sentence in _ANSWERS:
        if any(mark in complaint for mark in marks):
            return ProviderError(f"git could not read it: {sentence}. Nothing was read.", retryable=False)
    if not source.url.startswith("file:"):
        return _no_answer(seconds)
    lines = complaint.strip().splitlines()
    reason = redact(lines[-1]) if lines else "no reason"
    return ProviderError(f"git failed: {reason}. Nothing was read.", retryable=False)
