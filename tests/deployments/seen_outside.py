"""Everything that is read from Render and Supabase and may vanish there, each as a Thing in a world of one or two.

In: the environment with its service. Out: THINGS, by name: how to look at it, whether it is shown, and what else is so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace as Made
from typing import Any

from django.utils import timezone

from backups.models import ProviderBackup
from backups.provider.sync import _store_backups
from deployments import network, workspace
from deployments.functions import advisors
from deployments.functions.removal import mark_missing
from deployments.functions.sync import store_function, store_secrets
from deployments.models import (
    AdvisorFinding,
    ConfigFingerprint,
    Deployment,
    EdgeFunction,
    EdgeSecret,
    GroupLink,
    GroupVariable,
    Service,
    VariableGroup,
)
from deployments.render.listed import SyncReport
from deployments.render.service_rows import sync_services
from deployments.render.sync import sync_service
from deployments.variables import fingerprints
from operations.models import Environment
from operations.periodic.isolation import Failed
from operations.supabase_projects import known_projects, remember_projects
from providers.http.errors import NotFound
from providers.render import Deploy, EnvGroup, EnvVar, SecretFile
from providers.render import Service as SeenService
from providers.supabase import Backups, Function, Lint
from tests.deployments.strange_render import service_answer

AT = timezone.now() + timedelta(days=9)


@dataclass
class Thing:
    """One thing at a provider that `has` it or not; `look` reads, `shown` says whether the portal still has it."""

    place: Environment
    service: Service
    has: bool = True

    def some(self, *things: Any) -> list[Any]:
        """The first only where it is there, the others always."""
        return list(things) if self.has else list(things[1:])

    def asked(self, answer: Any = None) -> Callable[..., Any]:
        """By its id: 404 where it is not there."""

        def get(*_: object, **__: object) -> Any:
            if not self.has:
                raise NotFound("It is not known.")
            return answer

        return get


@dataclass(frozen=True)
class Kind:
    look: Callable[[Thing], object]
    shown: Callable[[Thing], bool]
    model: Any = None
    told: str = "deployments.gone"
    back: str = ""  # the entry's code, where its row was kept
    message: bool = True


def _services(thing: Thing) -> None:
    one, other = (SeenService.parse(service_answer(key, key)) for key in ("srv-one", "srv-1"))
    api = Made(services=Made(list=lambda: thing.some(one, other), get=thing.asked(one)))
    sync_services(api, Failed())  # type: ignore[arg-type]


def _deploys(thing: Thing) -> None:
    seen = Deploy.parse({"id": "dep-1", "status": "build_in_progress", "createdAt": timezone.now().isoformat()})
    row = thing.service
    row.history_complete = True
    api = Made(
        deploys=Made(pages=lambda *_, **__: iter([thing.some(seen)]), get=thing.asked(seen)),
        events=Made(list=lambda *_, **__: []),
    )
    sync_service(api, row, SyncReport())  # type: ignore[arg-type]


def _variables(thing: Thing) -> None:
    one, other = EnvVar("ONE", "1"), EnvVar("OTHER", "2")
    api = Made(
        env_vars=Made(list=lambda _: thing.some(one, other), get=thing.asked(one)),
        secret_files=Made(list=lambda _: [], get=thing.asked()),
    )
    fingerprints.refresh(api, thing.service)  # type: ignore[arg-type]


def _group(thing: Thing, parts: str) -> EnvGroup:
    """With a variable and a link, of which those named in `parts` go when the thing does."""
    there = lambda part: thing.has or part not in parts  # noqa: E731
    return EnvGroup(
        "evg-1",
        "shared",
        services=(thing.service.render_id,) if there("link") else (),
        variables=(EnvVar("ONE", "1"),) if there("variable") else (),
        files=(SecretFile("a.pem", "x"),),
    )


def _groups(parts: str) -> Callable[[Thing], object]:
    def look(thing: Thing) -> None:
        whole = "group" in parts
        seen = _group(thing, parts)
        groups = Made(
            list=lambda: thing.some(seen) if whole else [seen],
            get=thing.asked(seen) if whole else lambda _: seen,
            variable=thing.asked(),
            file=thing.asked(),
        )
        fingerprints.refresh_groups(Made(env_groups=groups))  # type: ignore[arg-type]

    return look


def _functions(thing: Thing) -> None:
    seen = Function.parse({"id": "f", "slug": "mail", "name": "mail", "version": 1, "status": "ACTIVE"})
    calls = Made(list=lambda _: thing.some(seen), get=thing.asked(seen), bundle=lambda *_: b"x", calls=lambda *_: None)
    api: Any = Made(functions=calls)
    for one in thing.some(seen):
        store_function(api, thing.place, one)
    mark_missing(api, thing.place, {one.slug for one in thing.some(seen)}, Failed())


def _secrets(thing: Thing) -> None:
    one, other = (Made(name=name, updated_at=None) for name in ("ONE", "OTHER"))
    store_secrets(Made(secrets=Made(list=lambda _: thing.some(one, other))), thing.place)  # type: ignore[arg-type]


def _findings(thing: Thing) -> None:
    lint = Lint("rls", "Row security", "ERROR", "leads", "", "rls-leads")
    told = Made(security=lambda _: thing.some(lint), performance=lambda _: [])
    advisors.sync(Made(advisors=told), thing.place)  # type: ignore[arg-type]


def _backups(thing: Thing) -> None:
    days = [
        Made(id=n, inserted_at=timezone.now() - timedelta(days=n), physical=False, status="COMPLETED") for n in (1, 2)
    ]
    listed: Backups = Made(entries=thing.some(*days), pitr_enabled=False, earliest=None, latest=None)  # type: ignore[assignment]
    _store_backups(thing.place, thing.place.supabase_ref, listed, {})


def _workspace(thing: Thing) -> None:
    run = Made(id="run-1", type="reboot", resource="dpg-1", at=AT, latest=None, state="scheduled")
    places = [Made(services=thing.some(thing.service.render_id, "srv-other"), name="Production")]
    api = Made(
        databases=Made(list=lambda: thing.some(*(Made(id=f"dpg-{n}", name=f"db-{n}", plan="pro") for n in (1, 2)))),
        maintenance_runs=Made(list=lambda _: thing.some(run)),
        environments=Made(projects=lambda: ["prj-1"], list=lambda _: places),
        addresses=Made(outbound=lambda _: thing.some("192.0.2.1", "192.0.2.2")),
    )
    workspace.read(api)  # type: ignore[arg-type]


def _bans(thing: Thing) -> None:
    _network(thing, bans_only=True)


def _network(thing: Thing, bans_only: bool = False) -> None:
    both = ["192.0.2.0/24", "198.51.100.0/24"]
    lists = Made(cidrs=both if bans_only else thing.some(*both), cidrs_v6=[], open_to_all=False)
    api = Made(
        network=Made(restrictions=lambda _: lists, banned=lambda _: thing.some("203.0.113.7")),
        projects=Made(read_only=lambda _: Made(enabled=False)),
    )
    network.read(api, thing.place)  # type: ignore[arg-type]


def _projects(thing: Thing) -> None:
    one, other = (Made(ref=ref, name=ref, region="eu", status="ACTIVE") for ref in ("aaa", "bbb"))
    remember_projects(Made(projects=Made(list=lambda: thing.some(one, other))))  # type: ignore[arg-type]


def _there(model: Any, **of: Any) -> Callable[[Thing], bool]:
    return lambda _: model.objects.filter(**of).exists()


def _known(part: str) -> Callable[[Thing], bool]:
    return lambda _: bool(getattr(workspace.known(), part))


THINGS = {
    "service": Kind(
        _services,
        _there(Service, render_id="srv-one", removed_at=None),
        Service,
        told="deployments.service_removed",
        back="deployments.service_back",
    ),
    "moving deploy": Kind(
        _deploys,
        _there(Deployment, status="build_in_progress"),
        Deployment,
        told="deployments.deploy_gone",
        message=False,
    ),
    "variable": Kind(_variables, _there(ConfigFingerprint, key="ONE"), ConfigFingerprint),
    "group": Kind(_groups("group"), _there(VariableGroup, removed_at=None), VariableGroup, back="deployments.back"),
    "group's variable": Kind(_groups("variable"), _there(GroupVariable, key="ONE"), GroupVariable),
    "group's link": Kind(_groups("link"), _there(GroupLink), GroupLink),
    "edge function": Kind(
        _functions,
        _there(EdgeFunction, removed_at=None),
        EdgeFunction,
        told="deployments.function_removed",
        back="deployments.back",
    ),
    "secret": Kind(_secrets, _there(EdgeSecret, name="ONE"), EdgeSecret),
    "finding": Kind(  # it stays, as resolved
        _findings,
        _there(AdvisorFinding, status="open"),
        AdvisorFinding,
        told="deployments.findings_changed",
        back="deployments.findings_changed",
        message=False,
    ),
    "backup": Kind(
        _backups,
        _there(ProviderBackup, external_id="1", gone_at=None),
        ProviderBackup,
        told="backups.provider.gone",
        back="backups.provider.back",
    ),
    "databases": Kind(_workspace, lambda _: any(row["id"] == "dpg-1" for row in workspace.known().databases)),
    "maintenance": Kind(_workspace, _known("maintenance")),
    "environments": Kind(_workspace, lambda thing: thing.service.render_id in workspace.known().environments),
    "addresses": Kind(_workspace, lambda thing: "192.0.2.1" in workspace.known().addresses[thing.service.render_id]),
    "allowed": Kind(_network, lambda thing: "192.0.2.0/24" in (network.known(thing.place).allowed or [])),
    "banned": Kind(_bans, lambda thing: bool(network.known(thing.place).banned), message=False),
    "projects": Kind(
        _projects, lambda _: any(one["ref"] == "aaa" for one in known_projects()), told="operations.projects_gone"
    ),
}
