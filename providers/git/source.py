"""Which repository a text means, and whether it may be asked at all: https to public addresses only.

In: a URL with an optional @commit. Out: a `Source`: URL, revision, settings that pin its host to the address that was
checked. Only a person at the shell may name a repository of this machine (`local`). Raises Refused.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from providers.errors import ProviderError, Refused
from providers.http import public_address

PROTOCOLS = ("https",)
_URL = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]{0,19}:{1,2}/{0,2}|[\w.-]{1,200}@[\w.-]{1,200}:)")
_PLACE = re.compile(r"(?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9]|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
LONGEST = 500
ONLY = "Only https:// addresses of public hosts are read, without a user name; nothing was read."


@dataclass(frozen=True)
class Source:
    """`settings` are git's, for the command line; the token stays out of it and out of `environment`."""

    url: str
    revision: str
    settings: tuple[str, ...]
    environment: dict[str, str]
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Access:
    """A token for one https host."""

    host: str
    token: str

    def token_for(self, url: str) -> str:
        """It goes to its own host only."""
        return self.token if urlsplit(url).hostname == self.host else ""


def access() -> Access:
    """OPS_GIT_TOKEN reads private repositories on OPS_GIT_HOST (github.com) and is shown to no other host."""
    return Access(os.environ.get("OPS_GIT_HOST", "") or "github.com", os.environ.get("OPS_GIT_TOKEN", ""))


def is_url(source: str) -> bool:
    """Whether a source is meant as an address, of whatever kind, and not as a path."""
    return bool(_URL.match(source))


def parse(source: str, *, local: bool = False) -> Source:
    """The repository that `source` means, its host looked up. Raises Refused for what is not read."""
    url, revision = check_form(source, local=local)
    if url.startswith("file:"):
        return Source(url, revision, (), {"GIT_ALLOW_PROTOCOL": "file"})
    more = {"GIT_ALLOW_PROTOCOL": "https", "GIT_CONFIG_GLOBAL": os.devnull, "HOME": "/nonexistent"}
    return Source(url, revision, (f"http.curloptResolve={_pinned(url)}",), more, access().token_for(url))


def check_form(source: str, *, local: bool = False) -> tuple[str, str]:
    """URL and revision, if it is written as something that may be read; nothing is asked. Raises Refused."""
    protocol = source.partition("://")[0]
    if protocol not in PROTOCOLS and not (local and protocol == "file"):
        raise Refused(ONLY)
    if len(source) > LONGEST or not source.isascii() or not source.isprintable() or " " in source:
        raise Refused(f"The address is no plain one of at most {LONGEST} characters. {ONLY}")
    url, revision = _split(source)
    if protocol != "file" and not _PLACE.fullmatch(url.split("/")[2]):
        raise Refused(f"Its host is no plain name. {ONLY}")
    return url, revision


def _split(source: str) -> tuple[str, str]:
    scheme, _, rest = source.partition("://")
    host, slash, path = rest.partition("/")
    path, _, revision = path.rpartition("@") if "@" in path else (path, "", "HEAD")
    if not _REVISION.fullmatch(revision) or ".." in revision:
        raise Refused(f"{revision!r} is no commit, branch or tag; nothing was read.")
    return f"{scheme}://{host}{slash}{path}", revision


def _pinned(url: str) -> str:
    """host:port:address, as libcurl takes it. What the name leads to inside of our network is not told."""
    try:
        target = public_address.check(url)
    except Refused as refusal:
        raise Refused(f"The address is not read. {ONLY}") from refusal
    except ProviderError as error:
        raise Refused(f"The address is not read. {ONLY}") from error
    address = f"[{target.address}]" if ":" in target.address else target.address
    return f"{target.host}:{target.port}:{address}"
