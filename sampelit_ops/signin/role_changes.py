"""Give roles and take them: recorded one by one, told to every approver, never one's own.

In: roles as `Operator` (held everywhere) or `Operator@staging` (held there). Out: groups, grants, ledger entries,
messages. Only roles that act are held on one environment; looking is not divided.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.urls import reverse

from ledger.authenticity import demand
from ledger.services import record
from operations import authority
from operations.dsns import environment_named
from operations.factors.acts import Binding, digest_of
from operations.factors.step_up import spend
from operations.models import Environment, RoleGrant
from operations.models.ulid import new_ulid
from operations.notify.outbox import addresses, enqueue
from providers.errors import Refused
from sampelit_ops.roles import ROLES
from sampelit_ops.signin.sessions import end_access

Choice = tuple[str, str]
Choices = list[tuple[str, list[Choice]]]


def choices(held: Iterable[str] = ()) -> Choices:
    """Each role with the places where it can be held; a preview only while somebody's role is on it."""
    previews = [role.partition("@")[2] for role in held]
    shown = Environment.objects.exclude(kind="preview") | Environment.objects.filter(slug__in=previews)
    slugs = [environment.slug for environment in shown.distinct()]
    return [
        (
            f"{role.name}: {role.purpose}",
            [(role.name, "everywhere"), *((f"{role.name}@{slug}", slug) for slug in slugs if role.acts)],
        )
        for role in ROLES
    ]


def words(role: str) -> str:
    """`Operator everywhere`, `Operator on staging`."""
    name, _, slug = role.partition("@")
    return f"{name} on {slug}" if slug else f"{name} everywhere"


@transaction.atomic
def set_roles(person: User, wanted: Iterable[str], *, by: str) -> None:
    """Make these the person's roles. Raises Refused for a role or place that is not known, and for one's own."""
    locked = User.objects.select_for_update().get(pk=person.pk)
    before, after = set(authority.roles(locked)), set(wanted)
    given, taken = sorted(after - before), sorted(before - after)
    if not given and not taken:
        return
    if by == locked.username:
        raise Refused("Nobody changes their own roles. Nothing was changed; ask another admin.")
    spend(by, Binding("signin.roles", locked.username, digest_of(given, taken)))
    change_roles(locked, given, taken, by=by)


def change_roles(locked: User, given: list[str], taken: list[str], *, by: str) -> None:
    """The rows, the entries and the message, in the transaction of whoever has decided it."""
    if given:
        demand()
    told = addresses(authority.holders_anywhere(authority.VOTE))
    for role in taken:
        _take(locked, *parsed(role))
    for role in given:
        _give(locked, *parsed(role))
    end_access(locked, actor=by, why="the roles changed")
    said = [f"{verb}: {', '.join(map(words, roles))}." for verb, roles in (("Given", given), ("Taken", taken)) if roles]
    path = reverse("admin:auth_user_change", args=[locked.pk])
    subject = f"{by} changed the roles of {locked.username}"
    enqueue(f"roles:{new_ulid()}", subject=subject, body="\n".join(said), path=path, to=told)
    for code, roles in (("signin.role_given", given), ("signin.role_taken", taken)):
        for role in roles:
            name, _, slug = role.partition("@")
            record(code, actor=by, environment=slug, subject=locked.username, data={"role": name})


def parsed(text: str) -> tuple[Group, Environment | None]:
    """The role and its place. Raises Refused with the known ones."""
    name, _, slug = text.partition("@")
    known = {role.name: role for role in ROLES}
    if name not in known:
        raise Refused(f"There is no role {name!r}. Nothing was changed. Known: {', '.join(known)}.")
    if "@" not in text:
        return Group.objects.get(name=name), None
    if not known[name].acts:
        raise Refused(f"{name} only looks, and looking is not divided: it is held everywhere. Nothing was changed.")
    return Group.objects.get(name=name), environment_named(slug, "nothing was changed")


def _give(person: User, role: Group, environment: Environment | None) -> None:
    if environment is None:
        person.groups.add(role)
    else:
        RoleGrant.objects.create(person=person, role=role, environment=environment)


def _take(person: User, role: Group, environment: Environment | None) -> None:
    if environment is None:
        person.groups.remove(role)
    else:
        RoleGrant.objects.filter(person=person, role=role, environment=environment).delete()
