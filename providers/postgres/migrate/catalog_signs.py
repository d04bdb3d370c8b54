"""What makes a change of a catalog row graver than its verb: rights given to many, rights taken, something off.

In: a row before and after. Out: signs. Pure; access lists are read as PostgreSQL writes them (chapter 5.8):
grantee=rights/grantor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

OPENS, TAKES, OFF = "opens", "takes", "off"
SAME, ENDS = "same", "ends"  # made again as it was; goes when the session ends
EVERYBODY = frozenset({"", "anon", "authenticated"})  # PUBLIC has no name; the others hold Supabase's public keys
POWERS = ("rolsuper", "rolcreaterole", "rolcreatedb", "rolcanlogin", "rolreplication", "rolbypassrls")
_BY_DEFAULT = ("proacl", "typacl", "lanacl", "datacl")  # without a list, PUBLIC has rights on them
Values = Mapping[str, Any]


def signs(before: Values | None, now: Values | None) -> frozenset[str]:
    """Of one row of any catalog; None where it is not there. What default privileges give a new object is not its."""
    return frozenset(_signs(before or {}, now or {}))


def _signs(before: Values, now: Values) -> Iterator[str]:
    for field in now.keys() | before.keys():
        if field == "defaclacl" or (field.endswith("acl") and before):
            yield from _rights(field, before.get(field), now.get(field))
    if now.get("tgenabled") not in (None, "O", "A", before.get("tgenabled")):
        yield OFF
    if "roleid" in now.keys() | before.keys():
        yield OPENS if now else TAKES
    if now.get("prosecdef") and not _sets_path(now):
        yield OPENS
    if _is_invoker(before) and now and not _is_invoker(now):
        yield OPENS
    if any(now.get(power) and not before.get(power) for power in POWERS):
        yield OPENS


def _rights(field: str, before: list[str] | None, now: list[str] | None) -> Iterator[str]:
    """Gained by everybody, or passed on by whoever gained it; lost by anybody. No list says nothing."""
    had, has = dict(map(_item, before or [])), dict(map(_item, now or []))
    for grantee, rights in has.items():
        gained = set(rights) - set(had.get(grantee, ""))
        wide = field == "defaclacl" or grantee in EVERYBODY
        was_given = before is None and not grantee and field in _BY_DEFAULT
        if gained and not was_given and (wide or "*" in gained):
            yield OPENS
    if any(set(rights) - set(has.get(grantee, "")) for grantee, rights in had.items()):
        yield TAKES


def _item(text: str) -> tuple[str, str]:
    """An owner's own rights are none that were given."""
    grantee, _, rest = text.rpartition("=")
    rights, _, grantor = rest.partition("/")
    return grantee.strip('"'), "" if grantee == grantor else rights


def _sets_path(function: Values) -> bool:
    return any(setting.startswith("search_path=") for setting in function.get("proconfig") or [])


def _is_invoker(view: Values) -> bool:
    return any(
        str(option) in ("security_invoker=on", "security_invoker=true") for option in view.get("reloptions") or []
    )
