"""Checks of second factors: the keys are here, nothing lies in clear, no earlier key is needed, and who signs votes."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from ledger import authenticity, channel
from operations.authority import VOTE, holders_anywhere
from operations.doctor import Check, register
from operations.factors import enrolments, rotation
from operations.models import Environment
from operations.models.factor_key import LEAST
from operations.periodic.clock import database_time

WHY = "Whoever reads the portal's database or a copy of it must not be able to make its people's authenticity."


@register
def factor_key(environment: Environment | None) -> Iterator[Check]:
    """FACTOR_KEY where people sign in; workers neither have nor need it."""
    if not settings.FACTOR_KEY:
        elsewhere = channel.current().name == "worker"
        found = "not held by this process, which checks no factor" if elsewhere else "not set"
        fix = "Set FACTOR_KEY to 50 random characters for the web service; docs/security.md."
        yield Check("FACTOR_KEY", "idle" if elsewhere else "bad", found, WHY, "" if elsewhere else fix)
    elif len(settings.FACTOR_KEY) < LEAST:
        fix = "Set 50 random characters, the old ones as FACTOR_KEY_FALLBACKS, then sampelit-ops reseal_factors."
        yield Check("FACTOR_KEY", "bad", "set, but can be guessed", WHY, fix)
    else:
        yield Check("FACTOR_KEY", "ok", "set", WHY)


@register
def authority_key(environment: Environment | None) -> Iterator[Check]:
    """AUTHORITY_KEY where people vote and duties run; whoever loads what others wrote has none."""
    name, why = "AUTHORITY_KEY", "Whoever holds SECRET_KEY and the database, as every worker does, must not make votes."
    set_it = "Set 50 random characters for web, workers and tick, not for the prove worker; docs/security.md."
    if not settings.AUTHORITY_KEY:
        published = authenticity.published().since is not None
        elsewhere = published and channel.current().name == "worker"
        found = "not held by this process, which writes nothing that votes rest on" if elsewhere else "not set"
        tone = "idle" if elsewhere else "bad" if published else "warn"
        yield Check(name, tone, found, why, "" if elsewhere else set_it)
    elif len(settings.AUTHORITY_KEY) < authenticity.LEAST:
        yield Check(name, "bad", "set, but can be guessed", why, f"{set_it} The old one goes to {name}_FALLBACKS.")
    elif authenticity.public_key(settings.AUTHORITY_KEY) not in authenticity.published().keys:
        yield Check(name, "bad", "set, but not published", why, "A ticker that holds it publishes it within a minute.")
    else:
        yield Check(name, "ok", "set and published", why)


@register
def passkey_votes(environment: Environment | None) -> Iterator[Check]:
    """Enough approvers can sign what OPS_PASSKEY_VOTES asks for; without it a stolen web service votes for those who
    have no passkey."""
    people = [person.username for person in holders_anywhere(VOTE)]
    keys, now = enrolments.enrolments(people), database_time()
    able = sum(any(key.signs(now) for key in keys[name]) for name in people)
    required, name = settings.OPS_PASSKEY_VOTES, "votes by passkey"
    why = "Whoever takes the web service over can write the votes of people who vote by a code; no passkey's."
    found = f"{able} of {len(people)} approvers can sign (a passkey counts a day after it was added)"
    if not required:
        fix = "Once one can, leave OPS_PASSKEY_VOTES out (1), once three can set 2; docs/security.md."
        yield Check(name, "idle" if settings.DEMO else "warn", f"not required; {found}", why, fix)
        return
    tone = "bad" if able < required else "warn" if able == required else "ok"
    fix = "" if tone == "ok" else "More approvers add a passkey (Second factor, in their menu) and wait a day."
    yield Check(name, tone, f"{required} required; {found}", why, fix)


@register
def factors_at_rest(environment: Environment | None) -> Iterator[Check]:
    """Each stored factor is sealed, under the key of now."""
    if clear := rotation.in_clear():
        fix = "The portal wrote none of them. Start over the sign-in of those people, and find out who wrote it."
        yield Check("second factors at rest", "bad", f"{clear} in clear", WHY, fix)
        return
    if not settings.FACTOR_KEY:
        yield Check("second factors at rest", "ok", "none in clear", WHY)
        return
    found = rotation.counts()
    tone = "bad" if found[rotation.UNKNOWN] else "warn" if found[rotation.FALLBACK] else "ok"
    told = ", ".join(f"{number} {state}" for state, number in sorted(found.items())) or "none stored"
    fixes = {
        "bad": "Add the earlier key to FACTOR_KEY_FALLBACKS; without it those people start their sign-in over.",
        "warn": "Run sampelit-ops reseal_factors, then take the earlier key out of FACTOR_KEY_FALLBACKS.",
    }
    yield Check("second factors at rest", tone, told, WHY, fixes.get(tone, ""))
