"""What the running project has registered, a line each: `python -m tests.wiring` prints it from a fresh process.

Functions and classes are named without their module, so that moving one changes nothing here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import partial
from types import FunctionType
from typing import Any
from unittest.mock import patch

import django

Lines = list[str]
_at_fork: Lines = []
FOREIGN = ("admin_list", "admin_modify", "admin_urls", "cache", "csp", "i18n", "l10n", "log", "static", "tz")


def registered(**environment: str) -> dict[str, Lines]:
    """Every registry of a process that did nothing but start, so that no other test's leftovers count."""
    command = [sys.executable, "-m", "tests.wiring"]
    printed = subprocess.run(command, env=os.environ | environment, stdout=subprocess.PIPE, check=True)
    lines: dict[str, Lines] = json.loads(printed.stdout)
    return lines


def name(function: Callable[..., object]) -> str:
    if isinstance(function, partial):
        return f"{name(function.func)}({', '.join(map(str, function.args))})"
    return function.__name__


def names(functions: Iterable[Callable[..., object]]) -> str:
    return " ".join(name(function) for function in functions)


def engine() -> dict[str, Lines]:
    from operations.engine import kinds, tick, wakeup

    known = kinds.registry
    return {
        "kinds": [line for _, kind in sorted(known.kinds.items()) for line in _kind(kind)],
        "guards": [f"{kind}: {names(checks)}" for kind, checks in sorted(known.guards.items())],
        "consequences": [f"{kind}: {names(tellers)}" for kind, tellers in sorted(known.consequences.items())],
        "named steps": [f"{key}: {_step(spec)}" for key, spec in sorted(known.factories.items())],
        "periodic jobs": [f"{job.name} {job.seconds:g} s: {name(job.run)}" for _, job in sorted(tick._jobs.items())],
        "transport": [name(send) for send in wakeup._transport],
    }


def _kind(kind: Any) -> Lines:
    flags = {
        "restores": kind.restores_service,
        "device": kind.needs_device,
        "reason": kind.needs_reason,
        "no-freeze": not kind.allowed_in_freeze,
        "everywhere": kind.everywhere,
        "step-up": kind.step_up,
        "protects": kind.protects,
    }
    words = [kind.name, type(kind).__name__, kind.permission, str(kind.risk), kind.exclusive or "-"]
    words += [flag for flag, raised in flags.items() if raised]
    where = [f"  connects {' '.join(kind.connects)}"] if kind.connects else []
    return [" ".join(words), *where, *(f"  {_step(step)}" for step in kind.steps)]


def _step(step: Any) -> str:
    ends = " always" * step.always + f" undoes {step.undoes}" * bool(step.undoes)
    if not hasattr(step, "run"):
        return f"{step.name} by name{ends}"
    return f"{step.name} {name(step.run)} {step.pool} {step.deadline:g}/{step.stall:g} s{ends}"


def pages() -> dict[str, Lines]:
    from django.contrib import admin
    from django.template import engines

    from operations import home_panels, navigation, onboarding

    admin.autodiscover()  # as the addresses do; nothing else may be registered by it
    libraries = engines["django"].engine.template_libraries.items()
    links = sorted(navigation._links.values(), key=lambda link: (navigation.GROUPS.index(link.group), link.order))
    return {
        "home panels": [f"{order} {name(source)}" for order, source in home_panels._panels],
        "home widgets": [f"{order} {name(source)}" for order, source in home_panels._widgets],
        "sidebar": [
            f"{link.group or '-'} {link.order} {link.label}: {link.url_name} {link.permission or '-'}"
            + (f" counts {name(link.count)}" if link.count else "")
            for link in links
        ],
        "user menu": [f"{label}: {url}" for label, url in navigation._user_links.items()],
        "set-up": [f"{order} {part}: {name(tell)} {name(ask)}" for order, part, tell, ask in onboarding._parts],
        "template tags": sorted(
            f"{key}.{tag}" for key, library in libraries if key not in FOREIGN for tag in library.tags | library.filters
        ),
        "admin": sorted(f"{model._meta.label}={type(page).__name__}" for model, page in admin.site._registry.items()),
    }


def watching() -> dict[str, Lines]:
    from django.core.checks.registry import registry as checks
    from django_q.signing import SignedPackage

    from backups.evidence import incident_sources
    from ledger import registry as ledger
    from operations import doctor

    ours = [
        check for check in checks.get_checks(True) if check.__module__.split(".")[0] not in ("django", "axes", "csp")
    ]
    return {
        "messages of the queue": [SignedPackage.dumps.__module__, SignedPackage.loads.__module__],
        "doctor": doctor.names(),
        "anchor sources": sorted(map(name, ledger.anchor_sources())),
        "listeners of the verification": sorted(map(name, ledger.listeners())),
        "incident sources": sorted(map(name, incident_sources._sources)),
        "ledger sentences": ledger.codes(),
        "system checks": sorted(f"{name(check)}: {' '.join(check.tags)}" for check in ours),
    }


def start() -> None:
    """Django is up, as in a worker's process: what it does at a fork can only be heard while it is registered."""
    os.environ |= {"DJANGO_SETTINGS_MODULE": "sampelit_ops.settings", "OPS_WORKER_ID": "w1"}
    register = os.register_at_fork

    def hear(**functions: Callable[[], object]) -> None:
        _at_fork.extend(f"{when}: {name(function)}" for when, function in functions.items() if _is_ours(function))
        register(**functions)

    with patch.object(os, "register_at_fork", hear):
        django.setup()


def _is_ours(function: Callable[[], object]) -> bool:
    return isinstance(function, FunctionType) and function.__module__.split(".")[0] not in sys.stdlib_module_names


def everything() -> dict[str, Lines]:

    forks = list(_at_fork)
    return engine() | watching() | pages() | {"forks of a worker": forks}


if __name__ == "__main__":
    start()
    print(json.dumps(everything()))
