"""Checks of the environment's variables: present, and of the shape that their use expects. Values are never shown."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from pyrage import RecipientError, x25519

from ledger import channel
from operations.doctor import Check, beats, register
from operations.models import Environment
from providers.secret_environment import showing


@dataclass(frozen=True)
class Variable:
    """`needed`: red where missing outside the demo; else a missing one is only named.

    `queue`: only the workers of that queue hold it, and they say so with every beat.
    """

    name: str
    needed: bool
    why: str
    shape: Callable[[str], bool]
    fix: str
    queue: str = ""


def _age_recipients(value: str) -> bool:
    try:
        return all(x25519.Recipient.from_str(part.strip()) for part in value.split(",") if part.strip())
    except RecipientError:
        return False


def _base64_of(*lengths: int) -> Callable[[str], bool]:
    def fits(value: str) -> bool:
        try:
            return len(base64.b64decode(value.removeprefix("whsec_") + "==", validate=False)) >= min(lengths)
        except (binascii.Error, ValueError):
            return False

    return fits


def _signing_key(value: str) -> bool:
    """PEM, hexadecimal or base64 of an Ed25519 key."""
    return "PRIVATE KEY" in value or re.fullmatch(r"[0-9a-fA-F]{64}", value) is not None or _base64_of(32)(value)


def _identity_key(value: str) -> bool:
    return re.fullmatch(r"AGE-SECRET-KEY-1[0-9A-Z]{58}", value.strip()) is not None


def _like(pattern: str) -> Callable[[str], bool]:
    return lambda value: re.fullmatch(pattern, value) is not None


def _each(fits: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda value: all(map(fits, re.split(r"[\s,]+", value.strip())))


KEYS = "`sampelit-ops keys create` (docs/deploy.md)"
_ENCRYPTS = "Exports are encrypted to it; without it they lie open in the store."
VARIABLES = (
    Variable(
        "SECRET_KEY", True, "It signs sessions and one-time links.", _like(r".{43,}"), "Set 50 random characters."
    ),
    Variable("BACKUP_AGE_RECIPIENTS", True, _ENCRYPTS, _age_recipients, "Set age1… (public halves, comma-separated)."),
    Variable("BACKUP_SIGNING_KEY", True, "It signs manifests.", _signing_key, f"Make one: {KEYS} signing.", "export"),
    Variable(
        "BACKUP_AGE_IDENTITY", True, "It opens runs to prove them.", _identity_key, f"Make one: {KEYS} age.", "prove"
    ),
    Variable("OPS_SEAL_RECIPIENT", False, "It seals secret parameters.", _age_recipients, "Set age1…"),
    Variable(
        "RENDER_API_KEY", False, "Deploys and rollbacks.", _like(r"rnd_\w{8,}"), "Render: Account Settings, API Keys."
    ),
    Variable(
        "RENDER_WEBHOOK_SECRET",
        False,
        "It proves that a webhook is Render's.",
        _each(_base64_of(16)),
        "Copy whsec_… from Render, of several workspaces with commas.",
    ),
    Variable(
        "SUPABASE_ACCESS_TOKEN",
        False,
        "Supabase's own backups.",
        _like(r"sbp_\w{8,}"),
        "Supabase: Account, Access Tokens.",
    ),
    Variable("OPS_METRICS_TOKEN", False, "It opens /metrics.", _like(r"\S{20,}"), "Set 20 random characters or more."),
    Variable(
        "NOTIFY_WEBHOOK_SECRET", False, "It signs our webhook.", _base64_of(16), "Set whsec_ and 24 random bytes."
    ),
)


@register
def secrets(environment: Environment | None) -> Iterator[Check]:
    """Each secret: present and well-formed."""
    told = _told()
    for variable in VARIABLES:
        elsewhere = told.get(settings.OPS_QUEUES[variable.queue]) if variable.queue else None
        value = os.environ.get(variable.name, "")
        if elsewhere is not None:
            yield _check(variable, *elsewhere.get(variable.name, (False, False)), f" at the {variable.queue} worker")
        elif value or not variable.queue:
            yield _check(variable, bool(value), variable.shape(value))
        else:
            fix = f"Start the {variable.queue} worker: it tells what it holds."
            yield Check(variable.name, "warn", "no worker tells", variable.why, fix)
    yield from _identity()
    yield from _shown()
    yield from _in_clear()


def holdings(queues: Collection[str]) -> dict[str, tuple[bool, bool]]:
    """For a worker's beat: which of its queues' own variables are set here, and well-formed. No value leaves."""
    mine = [each for each in VARIABLES if each.queue and settings.OPS_QUEUES[each.queue] in queues]
    values = {each: os.environ.get(each.name, "") for each in mine}
    return {each.name: (bool(value), each.shape(value)) for each, value in values.items()}


def _told() -> dict[str, dict[str, tuple[bool, bool]]]:
    """What the living workers of each queue said that they hold; the worst word of several counts."""
    told: dict[str, dict[str, tuple[bool, bool]]] = {}
    for detail in beats.living_workers():
        for queue in detail.get("queues", []):
            for name, (is_set, fits) in detail.get("holds", {}).items():
                known = told.setdefault(queue, {}).get(name, (True, True))
                told[queue][name] = (known[0] and is_set, known[1] and fits)
    return told


def _check(variable: Variable, is_set: bool, fits: bool, where: str = "") -> Check:
    if is_set and fits:
        return Check(variable.name, "ok", f"set and well-formed{where}", variable.why)
    if is_set:
        tone = "warn" if settings.DEMO else "bad"
        return Check(variable.name, tone, f"set, but malformed{where}", variable.why, variable.fix)
    tone = "bad" if variable.needed and not settings.DEMO else "idle"
    return Check(variable.name, tone, f"not set{where}", variable.why, variable.fix)


def _identity() -> Iterator[Check]:
    """The backup identity belongs to the prove worker alone."""
    if os.environ.get("BACKUP_AGE_IDENTITY") and channel.current().name == "admin" and not settings.DEMO:
        why = "Whoever takes this process over could read every backup."
        fix = "Take BACKUP_AGE_IDENTITY out of this service; only the prove worker needs it."
        yield Check("BACKUP_AGE_IDENTITY", "warn", "held by this process", why, fix)


def _shown() -> Iterator[Check]:
    """Keys that our own processes hide may still stand in the variables of whoever started them."""
    held = [settings.BACKUP_AGE_IDENTITY, settings.BACKUP_SIGNING_KEY, settings.OPS_SEAL_IDENTITY]
    if processes := showing(held):
        found = f"shown by process {', '.join(map(str, processes[:5]))}"
        why = "Whatever runs under this user, a drill's server too, may read the variables of its processes."
        fix = "Start the portal's commands directly or with exec, or hand keys over by OPS_SECRETS_FD (docs/deploy.md)."
        yield Check("keys of other processes", "warn", found, why, fix)


def _in_clear() -> Iterator[Check]:
    """Providers that a key is sent to over plain HTTP, other than to this machine."""
    for name in ("RENDER_API_BASE", "SUPABASE_API_BASE"):
        address = urlsplit(getattr(settings, name))
        if address.scheme != "https" and address.hostname not in ("127.0.0.1", "::1", "localhost"):
            why = "Whoever stands between reads the key, and answers in the provider's name."
            yield Check(name, "bad", "does not begin with https://", why, "Set its https address, or unset it.")
