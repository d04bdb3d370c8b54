"""Two readings of one schema, compared: the snapshot's and that of the database it was rebuilt in. Pure.

In: rows (kind, name, belongs to, SQL) of both, what is known of the two places. Out: differences, each with its class:
declared ones follow from the place, `EXPLAINED` and `FOLLOWS` from a statement that failed there, others from nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from providers.postgres.schema.consequences import INVALID_INDEX, Changed, Lost, called, explained, parents_of
from providers.postgres.schema.generations import AROUND, NO_TOAST
from providers.postgres.schema.meaning import same_meaning
from providers.postgres.schema.partitions import Rows, said_by_the_server

OTHERWISE = "what computes them answers otherwise here"
Row = Sequence[str]
KINDS = {
    "event trigger": "event trigger",
    "publication": "publication",
    "foreign server": "foreign server",
    "collation": "collation",
    "default grants": "default privileges",
    "foreign data wrapper": "foreign server",
    "user mapping": "foreign server",
    "subscription": "subscription",
    "silent key": "keys come back enforced",
    "security label": "security label",
}
OF_ROLES = frozenset(["default grants", "user mapping"])  # whose names tell a role
TABLES = frozenset(["table", "foreign table"])
WRITTEN_ANEW = frozenset(["view", "materialized view", "rule", "function", "procedure"])
MAINTAIN = re.compile(r", MAINTAIN\b|\bMAINTAIN, ")  # a right that version 17 brought: owners have it
# Functions that a range type brings belong to whoever made the server.
CONSTRUCTOR = re.compile(r"\n LANGUAGE internal\n[^$]*\$function\$(?:multi)?range_constructor\d\$function\$")
OWNED = re.compile(r'(; -- OWNER | AUTHORIZATION )("(?:[^"]|"")+"|[^\s;"]+)')
PLACES = {  # of what is the same but for them
    "access method": re.compile(r"; -- ACCESS METHOD \w+"),
    "tablespace": re.compile(r"; -- TABLESPACE [^;]*"),
    "options of large values": re.compile(r"; -- TOAST [^;]*"),
    "a partition half detached comes back attached: DETACH PARTITION … FINALIZE": re.compile(r"; -- DETACH PENDING"),
    "access method and tablespace": re.compile(r"; -- (?:ACCESS METHOD \w+|TABLESPACE [^;]*)"),
}
BY_THE_SERVER = (("schema", "public"), ("grants", "schema public"))  # in every new database
EVERYBODYS = {"function": "EXECUTE ON FUNCTION", "type": "USAGE ON TYPE", "language": "USAGE ON LANGUAGE"}
NOBODY = "-- nobody"
OF_OTHERS = ("language ", "foreign data wrapper ", "foreign server ")
INVALID = "; -- INVALID"
VERSION = re.compile(r" VERSION '[^']*'")


@dataclass(frozen=True)
class Sides:
    """`owner` of the source's objects and `here`, who made them; `skipped` schemas are not looked at; `lost`: what
    failed; `whole`: everything should be there; `other_major`: the servers print definitions differently."""

    owner: str
    here: str
    skipped: Collection[str] = ()
    lost: Collection[Lost] = ()
    whole: bool = True
    other_major: bool = False


@dataclass(frozen=True)
class Difference:
    kind: str
    name: str
    change: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.change}"


def differences(source: Iterable[Row], found: Iterable[Row], sides: Sides) -> list[Difference]:
    """By kind and name; what belongs to the platform's own schemas is left out."""
    source = list(source)
    before = _by_key(source, sides, {sides.owner})
    after = _by_key(found, sides, {sides.owner, sides.here})
    left_out = {key for key in before.keys() - after.keys() if _is_invalid(key[0], before[key])}
    sides = replace(sides, lost={*sides.lost, *(Lost(INVALID_INDEX, k[1], called(before[k][0])) for k in left_out)})
    parents = parents_of((row[1], row[3]) for row in source if row[0] in TABLES)
    of_partitions = said_by_the_server(before, after, sides.other_major, parents.keys())
    of_both = _by_key(source, sides, {sides.owner, sides.here})
    unmade = BY_THE_SERVER if BY_THE_SERVER[0] not in before else ()
    gone = {key[1] for key in before.keys() - after.keys() if not before[key][0]}
    result = []
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key), after.get(key)
        if (was and now and _same(was, now)) or (was is None and (not sides.whole or key in unmade)):
            continue
        if was and now is None and was[0] in gone:
            continue  # it went with what it belongs to
        change = "is missing" if now is None else "was not in the source" if was is None else "differs"
        reason = of_partitions.get(key) or _reason(key, was, now, sides)
        if was and now and of_both.get(key) == now:
            reason = "owner"
        if not reason and (said := was or now):
            own = said[0] or (key[1] if key[0] in TABLES else "")
            reason = explained(Changed(*key, own, now is None), sides.lost, parents)
        result.append(Difference(*key, change, reason))
    return result


def _same(was: tuple[str, str], now: tuple[str, str]) -> bool:
    return was[0] == now[0] and same_meaning(was[1], now[1])


def _by_key(rows: Iterable[Row], sides: Sides, owners: set[str]) -> Rows:
    mine = re.compile(
        "|".join(rf'(?<![\w"]){re.escape(name)}(?![\w"])' for name in {*map(_quoted, owners), "pg_database_owner"})
    )
    rename = lambda text: mine.sub("OWNER", text)  # noqa: E731
    found: dict[tuple[str, str], tuple[str, list[str]]] = {}
    for kind, name, of, text in rows:
        if (
            kind not in AROUND
            and not (kind == "function" and CONSTRUCTOR.search(text))
            and _schema(of or name) not in sides.skipped
            and not (kind in ("schema", "grants") and _place(name) in sides.skipped)
        ):
            key = kind, rename(name) if kind in OF_ROLES else name
            found.setdefault(key, (of, []))[1].append(_plain(kind, rename(text)))
    return {key: (of, "; ".join(sorted(texts))) for key, (of, texts) in found.items()}


def _plain(kind: str, text: str) -> str:
    if kind in ("grants", "default grants"):
        return "; ".join(sorted(set(MAINTAIN.sub("", text).split("; "))))
    return NO_TOAST.sub("", text).removesuffix("; -- TARGET -1")  # the default, as servers before 17 say it


def _reason(key: tuple[str, str], was: tuple[str, str] | None, now: tuple[str, str] | None, sides: Sides) -> str:
    kind, name = key
    if was and now is None and _is_invalid(kind, was):
        return "invalid, as a build that failed leaves it: no query uses it and no dump carries it"
    if was and now:
        old, new = was[1], now[1]
        if OWNED.sub("", old) == OWNED.sub("", new):
            return "owner"
        if kind == "extension" and VERSION.sub("", old) == VERSION.sub("", new):
            return "extension's version"
        if sides.other_major and kind in WRITTEN_ANEW:
            return "printed by another major version"
        if kind == "column order":
            return "order of inherited columns"
        if place := next((name for name, said in PLACES.items() if said.sub("", old) == said.sub("", new)), ""):
            return place
    if kind in KINDS and (now is None or kind == "collation"):
        return KINDS[kind]
    if kind == "grants" and was and sides.owner != sides.here and _of_others(was[1]) == _of_others(_said(name, now)):
        return "what an owner took from itself"
    if kind == "grants" and name.startswith(OF_OTHERS):
        return "rights that only its owner gives"
    return ""


def _is_invalid(kind: str, said: tuple[str, str]) -> bool:
    return kind == "index" and INVALID in said[1]


def _of_others(grants: str) -> list[str]:
    return [text for text in grants.split("; ") if text != NOBODY and not text.endswith(" TO OWNER")]


def _said(name: str, grants: tuple[str, str] | None) -> str:
    """What no row says: everybody may, of some kinds."""
    word, _, full = name.partition(" ")
    return grants[1] if grants else f"GRANT {EVERYBODYS[word]} {full} TO PUBLIC" if word in EVERYBODYS else NOBODY


def _schema(qualified: str) -> str:
    """`schema.name`, each quoted or not."""
    match = re.match(r'"((?:[^"]|"")+)"\.|([^\s".(]+)\.', qualified)
    return (match[1] or match[2]).replace('""', '"') if match else ""


def _place(name: str) -> str:
    return name.removeprefix("schema ").strip('"').replace('""', '"')


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'
