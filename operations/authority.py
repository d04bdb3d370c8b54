"""Who may do what, where, now: the one place that every service, page and command asks before it acts.

In: a person, a permission (`app.codename`) and the environment of the act; None is an act that concerns all of them.
Out: yes or no, the sentence beside a disabled button, where it is held, and everybody who holds it.
"""

from __future__ import annotations

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db.models import Model, Q, QuerySet, Value

from operations.models import AccessToken, Environment, RoleGrant

VOTE = "operations.approve_operation"
_LOOKS = "view_"


class Roles(ModelBackend):
    """Django's backend, which asks for what a person holds everywhere at once, and for each environment's roles.

    Looking is not divided: whoever has a role anywhere looks wherever that role looks.
    """

    def get_all_permissions(self, user_obj: User | AnonymousUser, obj: Model | None = None) -> set[str]:
        if not user_obj.is_active or isinstance(user_obj, AnonymousUser):
            return set()
        if isinstance(obj, Environment):
            return _everywhere(user_obj) | _granted(user_obj).get(obj.pk, set())
        if obj is not None:
            return set()
        held = set().union(*_granted(user_obj).values())
        return _everywhere(user_obj) | {name for name in held if name.partition(".")[2].startswith(_LOOKS)}


def roles(person: User) -> list[str]:
    """`Operator` for a role that is held everywhere, `Operator@staging` for one that is held there; one query."""
    everywhere = person.groups.order_by().values_list("name", Value(""))
    granted = RoleGrant.objects.filter(person=person).order_by().values_list("role__name", "environment__slug")
    held = list(everywhere.union(granted))
    if not any(slug for _, slug in held):
        person._granted = {}  # type: ignore[attr-defined]
    return sorted(f"{name}@{slug}" if slug else name for name, slug in held)


def _everywhere(person: User) -> set[str]:
    """What the person and the person's groups hold, read once per instance; a superuser holds all there is."""
    known: set[str] | None = getattr(person, "_held_everywhere", None)
    if known is None:
        every = Permission.objects.order_by().values_list("content_type__app_label", "codename")
        own = every.filter(user=person).union(every.filter(group__user=person))
        known = {f"{app}.{codename}" for app, codename in (every if person.is_superuser else own)}
        person._held_everywhere = known  # type: ignore[attr-defined]
    return known


def _granted(person: User) -> dict[int, set[str]]:
    """The permissions of each environment's roles, read once per instance as Django reads its own."""
    known: dict[int, set[str]] | None = getattr(person, "_granted", None)
    if known is None:
        known = {}
        names = ("environment", "role__permissions__content_type__app_label", "role__permissions__codename")
        for environment, app, codename in RoleGrant.objects.filter(person=person).order_by().values_list(*names):
            known.setdefault(environment, set()).add(f"{app}.{codename}")
        person._granted = known  # type: ignore[attr-defined]
    return known


def holds(person: User | AnonymousUser, permission: str, environment: Environment | None) -> bool:
    """Whether this person is active and holds the permission for this environment; None: for all of them.

    Environments that lead to one database are one place: the role has to be held for each of them. Whoever acts by a
    personal token holds what it carries of that.
    """
    if not person.is_active or _beyond_token(person, permission, environment):
        return False
    if environment is None or not person.has_perm(permission, environment):
        return environment is None and person.has_perm(permission)
    undivided = person.has_perm(permission) and not _token_place(person)
    others = [] if undivided else _of_one_database(person, environment)
    return all(person.has_perm(permission, at) and not _beyond_token(person, permission, at) for at in others)


def _of_one_database(person: User | AnonymousUser, environment: Environment) -> list[Environment]:
    """The others that lead to its database, read once per instance of the person: a page asks of each row and kind."""
    known: dict[object, list[Environment]] = getattr(person, "_of_one_database", None) or {}
    identity = (environment.pk, environment.system_identifier, environment.database_oid)
    if identity not in known:
        known[identity] = environment.of_one_database()[1:]
        person._of_one_database = known  # type: ignore[union-attr]
    return known[identity]


def _token(person: User | AnonymousUser) -> AccessToken | None:
    return getattr(person, "token", None)


def _beyond_token(person: User | AnonymousUser, permission: str, environment: Environment | None) -> str:
    token = _token(person)
    return token.why_not(permission, environment) if token else ""


def _token_place(person: User | AnonymousUser) -> Environment | None:
    token = _token(person)
    return token.environment if token else None


def place_ids(person: User | AnonymousUser, permission: str) -> list[int] | None:
    """The keys of the environments for which this person holds it; None: of all that there are and will be."""
    if holds(person, permission, None):
        return None
    return [place.pk for place in _named(person, permission)]


def _named(person: User | AnonymousUser, permission: str) -> list[Environment]:
    """Where a role of one environment gives it, read once per instance."""
    known: dict[str, list[Environment]] = getattr(person, "_named", None) or {}
    if permission not in known:
        known[permission] = [place for place in _divided(person) if holds(person, permission, place)]
        person._named = known  # type: ignore[union-attr]
    return known[permission]


def _divided(person: User | AnonymousUser) -> list[Environment]:
    """The environments of which this person has a role, or the token; read once per instance."""
    known: list[Environment] | None = getattr(person, "_divided", None)
    if known is None:
        keys = [*_granted(person)] if isinstance(person, User) and person.is_active else []
        keys += [only.pk] if (only := _token_place(person)) else []
        known = list(Environment.objects.filter(pk__in=keys)) if keys else []
        person._divided = known  # type: ignore[union-attr]
    return known


def places(person: User | AnonymousUser, permission: str) -> QuerySet[Environment]:
    """The environments for which this person holds it."""
    keys = place_ids(person, permission)
    return Environment.objects.all() if keys is None else Environment.objects.filter(pk__in=keys)


def holds_somewhere(person: User | AnonymousUser, permission: str, *others: str) -> bool:
    """Whether there is an environment for which this person holds all of them."""
    limits = [set(keys) for each in (permission, *others) if (keys := place_ids(person, each)) is not None]
    return not limits or bool(set.intersection(*limits))


def why_not(person: User | AnonymousUser, permission: str, environment: Environment | None, otherwise: str) -> str:
    """The sentence beside a disabled button: where this person may, or `otherwise`; nothing for whoever holds it."""
    if holds(person, permission, environment):
        return ""
    if refusal := _beyond_token(person, permission, environment):
        return refusal
    there = ", ".join(place.slug for place in _named(person, permission))
    here = f"not on {environment}" if environment else "and this concerns every environment"
    return f"You may act on {there}, {here}." if there else otherwise


def holders(permission: str, environment: Environment | None) -> QuerySet[User]:
    """The active people whose roles give them this permission there; no superuser for being one."""
    people = _holding(permission, RoleGrant.objects.filter(environment=environment))
    for place in environment.of_one_database()[1:] if environment else []:
        people = people.filter(pk__in=_holding(permission, RoleGrant.objects.filter(environment=place)).values("pk"))
    return people


def holders_anywhere(permission: str) -> QuerySet[User]:
    """The active people whose roles give them this permission on one environment or more."""
    return _holding(permission, RoleGrant.objects.all())


def _holding(permission: str, grants: QuerySet[RoleGrant]) -> QuerySet[User]:
    app, _, codename = permission.partition(".")
    wanted = Permission.objects.filter(codename=codename, content_type__app_label=app)
    granted = grants.filter(role__permissions__in=wanted).order_by().values("person")
    held = Q(groups__permissions__in=wanted) | Q(user_permissions__in=wanted) | Q(pk__in=granted)
    return User.objects.filter(held, is_active=True).distinct()
