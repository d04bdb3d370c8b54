"""Keeps secrets out of logs, ledger, errors and run output.

In: any text or JSON-like value. Out: the same with every secret replaced. Secrets are the values of this process's
secret variables (by their names) and whatever looks like a credential of the systems we talk to.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

MASK = "[redacted]"
_SECRET_NAME = re.compile(
    r"(SECRET|TOKEN|PASSWORD|PASSWD|API_KEY|ACCESS_KEY|SIGNING_KEY|FACTOR_KEY|AUTHORITY_KEY|PRIVATE_KEY|IDENTITY|_DSN|DATABASE_URL|WEBHOOK_URL|PING_URL|^OPS_VALUE_)"
)
_SHORTEST = 8
# Linear in the text: no two neighbours of a pattern take the same letters over again. Each begins with letters of its
# own where it can, which is ten times as fast to look for as a word's border; the border is then looked at backwards.
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?P<keep>://[^\s:/@]*:)[^\s/]+(?=@)"), rf"\g<keep>{MASK}"),
    (re.compile(r"(?P<keep>[pP](?<!\w[pP])(?i:assword)\s*=\s*)('[^']*'|[^\s'\"&]+)"), rf"\g<keep>{MASK}"),
    (re.compile(r"AKIA(?<!\wAKIA)[A-Z0-9]{12,}\b"), MASK),
    (re.compile(r"ASIA(?<!\wASIA)[A-Z0-9]{12,}\b"), MASK),
    (re.compile(r"rnd_(?<!\wrnd_)[A-Za-z0-9]{8,}"), MASK),
    (re.compile(r"sbp_(?<!\wsbp_)[A-Za-z0-9_]{8,}"), MASK),
    (re.compile(r"sb_secret_(?<!\wsb_secret_)[A-Za-z0-9_\-]{8,}"), MASK),
    (re.compile(r"opst_(?<!\wopst_)[A-Za-z0-9_\-]{8,}"), MASK),  # our own
    (re.compile(r"gh[oprsu]_(?<!\wgh[oprsu]_)[A-Za-z0-9]{8,}"), MASK),
    (re.compile(r"github_pat_(?<!\wgithub_pat_)[A-Za-z0-9_]{8,}"), MASK),
    (re.compile(r"glpat-(?<!\wglpat-)[A-Za-z0-9_\-]{8,}"), MASK),
    (re.compile(r"xox[a-z](?<!\wxox[a-z])(\.xox[a-z])?-[A-Za-z0-9\-]{8,}"), MASK),
    (re.compile(r"xapp-(?<!\wxapp-)[A-Za-z0-9\-]{8,}"), MASK),
    (re.compile(r"sk_(?<!\wsk_)(live|test)_[A-Za-z0-9]{8,}"), MASK),
    (re.compile(r"rk_(?<!\wrk_)(live|test)_[A-Za-z0-9]{8,}"), MASK),
    (re.compile(r"npm_(?<!\wnpm_)[A-Za-z0-9]{30,}"), MASK),
    (re.compile(r"whsec_(?<!\wwhsec_)[A-Za-z0-9+/=_\-]{8,}"), MASK),
    (re.compile(r"eyJ(?<!\weyJ)[A-Za-z0-9_\-]{8,}(\.[A-Za-z0-9_\-]*){0,2}"), MASK),
    (re.compile(r"[aA](?i:GE-SECRET-KEY-(PQ-)?1[A-Z0-9]+)"), MASK),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
    (re.compile(r"https://hooks\.slack\.com/services/\S+"), MASK),
    (re.compile(r"(?P<keep>[bB](?<!\w[bB])(?i:earer)\s+)[A-Za-z0-9._~+/=\-]{8,}"), rf"\g<keep>{MASK}"),
)
LONGEST_LINE = 32_768  # of a log: a page's whole form or a server's whole answer is no message


class Redactor:
    """Replaces known secret values first (longest first), then everything that looks like a credential."""

    def __init__(self, secrets: frozenset[str] = frozenset()) -> None:
        known = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None
        self._longest = max([1_000, *map(len, known)])

    def text(self, value: str) -> str:
        if self._known:
            value = self._known.sub(MASK, value)
        for pattern, replacement in _PATTERNS:
            value = pattern.sub(replacement, value)
        return value

    def line(self, value: str) -> str:
        """A message for a log: cut first where it is too long, and what could be a secret's beginning goes too."""
        if len(value) <= LONGEST_LINE:
            return self.text(value)
        return f"{self.text(value[:LONGEST_LINE])[: -self._longest]}… ({len(value):,} characters)"

    def value(self, value: object) -> object:
        """The same structure with every string (keys too) redacted; other scalars are kept."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(key) if isinstance(key, str) else key: self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value


def _forms(secret: str) -> set[str]:
    return {form for form in (secret, quote(secret, safe=""), unquote(secret)) if len(form) >= _SHORTEST}


def is_secret(name: str, value: str) -> bool:
    """Whether a variable's name says that it is secret, or its value looks like a credential."""
    return bool(value) and (_SECRET_NAME.search(name.upper()) is not None or Redactor().text(value) != value)


def secret_values(environ: Mapping[str, str]) -> frozenset[str]:
    """Values of variables whose names say they are secret; of a URL also its password."""
    secrets: set[str] = set()
    for name, value in environ.items():
        if value and _SECRET_NAME.search(name.upper()):
            secrets.update(_secrets_in(name.upper(), value))
    return frozenset(filter(_telling, secrets))


def _secrets_in(name: str, value: str) -> set[str]:
    """The value itself; of a database's address its password, and the whole only if it has one."""
    passwords = {unquote(text) for text in _passwords(value)} | set(_passwords(value))
    is_address = name.endswith(("_DSN", "DATABASE_URL"))
    return passwords | ({value} if passwords or not is_address else set())


def _passwords(value: str) -> list[str]:
    try:
        password = urlsplit(value).password if "://" in value else None
    except ValueError:
        return []
    return [password] if password else re.findall(r"\bpassword=([^\s']{2,})", value)


def _telling(value: str) -> bool:
    """Not a short plain word: hiding `postgres` everywhere would hide what a message says."""
    return len(value) >= _SHORTEST and (len(value) >= 16 or not re.fullmatch(r"[a-z_-]+", value))


@lru_cache(maxsize=8)
def _redactor(secrets: frozenset[str]) -> Redactor:
    return Redactor(secrets)


def current() -> Redactor:
    """The redactor for this process's environment and what it learned while it works."""
    return _redactor(secret_values(os.environ) | frozenset(_learned))


_learned: set[str] = set()


def learn(value: str) -> None:
    """Hide this value too, until `forget_learned`: a secret that was opened in memory for one step."""
    if len(value) >= 4:
        _learned.add(value)


def forget_learned() -> None:
    """The step's secrets are gone from memory; stop looking for them."""
    _learned.clear()


def redact(value: str) -> str:
    return current().text(value)


class RedactingFilter(logging.Filter):
    """A logging filter: the message, its arguments and the traceback leave the process without secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        redactor = current()
        record.msg, record.args = redactor.line(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redactor.line(record.exc_text)
        return True
