"""Comments and rights as the catalogue's fingerprint tells them, as statements that give them again. Pure.

In: "GRANT a, b WITH GRANT OPTION ON TABLE t TO r; …" before and now. Out: REVOKE of what is now, GRANT of what was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrations_registry.fingerprint import Fingerprint, SchemaObject
from migrations_registry.undo.action import HOOKS, Action, Way
from providers.postgres.schema.model import quoted
from providers.postgres.schema.names import split

LINE = re.compile(r"^GRANT (?P<rights>.+?) ON (?P<word>TABLE|COLUMN|FUNCTION|TYPE|SCHEMA) (?P<name>.+) TO (?P<who>.+)$")
USABLE_BY_ALL = ("function ", "type ", "language ")  # by everybody, as long as nobody says otherwise
DEFAULTS = re.compile(r"of (?P<role>.+?) (?:everywhere|in (?P<schema>.+)) (?P<of>\w)")
DEFAULT_OF = {"r": "TABLES", "S": "SEQUENCES", "f": "FUNCTIONS", "T": "TYPES", "n": "SCHEMAS"}
DEFAULT = re.compile(r"(?:^|; )GRANT (?P<right>[A-Z]+) TO (?P<who>.+?)(?P<option> WITH GRANT OPTION)?(?=; GRANT |$)")
COMMENTED = re.compile(r"^((?:[a-z]+ )*[a-z]+) (.+)$", re.DOTALL)
WORDED = frozenset(["comment", "grants", "default grants"])
OPTION = " WITH GRANT OPTION"
WORDS_FOR = {
    **dict.fromkeys(["table", "view", "materialized view", "foreign table", "sequence"], "TABLE"),
    **dict.fromkeys(["function", "procedure"], "ROUTINE"),
}
# Whoever gets rights on new objects by default must not get them on one that is only made again.
REVOKED = """DO $undo$ DECLARE who text; BEGIN
  FOR who IN SELECT DISTINCT
      CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)) END
    FROM pg_catalog.pg_default_acl, pg_catalog.aclexplode(defaclacl) WHERE grantee <> defaclrole
  LOOP EXECUTE 'REVOKE ALL ON {word} ' || {name} || ' FROM ' || who; END LOOP;
END $undo$"""


def words_back(was: SchemaObject, here: str) -> Way:
    """Of a kind of WORDED; `here`: its words now, empty where there are none."""
    if was.kind == "grants":
        return tuple(grants_back(was.name, was.sql, here))
    if was.kind == "default grants":
        return tuple(_default_grants(was.name, was.sql, here))
    return (f"COMMENT ON {COMMENTED.sub(_commented, was.name, count=1)} IS {was.sql}",)


def _commented(match: re.Match[str]) -> str:
    """A kind as COMMENT ON calls it, not as pg_identify_object does."""
    kind = match[1].removesuffix(" object").removeprefix("table ")
    if kind == "domain constraint":
        return f"CONSTRAINT {match[2].replace(' on ', ' ON DOMAIN ')}"
    return f"{kind.upper()} {match[2]}"


def _default_grants(name: str, was: str, now: str) -> Iterator[str]:
    place = DEFAULTS.fullmatch(name)
    if place is None or place["of"] not in DEFAULT_OF:
        return
    where = f" IN SCHEMA {quoted(place['schema'])}" if place["schema"] else ""
    alter, of = f"ALTER DEFAULT PRIVILEGES FOR ROLE {place['role']}{where}", DEFAULT_OF[place["of"]]
    for who in dict.fromkeys(match["who"] for match in DEFAULT.finditer(now)):
        yield f"{alter} REVOKE ALL ON {of} FROM {_role(who)}"
    for match in DEFAULT.finditer(was):
        yield f"{alter} GRANT {match['right']} ON {of} TO {_role(match['who'])}{match['option'] or ''}"


def _role(name: str) -> str:
    return name if name == "PUBLIC" else quoted(name)


def no_rights_by_default(was: SchemaObject, before: Fingerprint) -> Iterator[Action]:
    """Before its own rights are given again; a routine that had the usual ones is everybody's."""
    if was.kind not in WORDS_FOR:
        return
    word, name = WORDS_FOR[was.kind], "'" + was.name.replace("'", "''") + "'"
    way = [REVOKED.format(word=word, name=name)]
    if word == "ROUTINE" and ("grants", f"function {was.name}") not in before.by_key:
        way.append(f"GRANT EXECUTE ON ROUTINE {was.name} TO PUBLIC")
    note = f"Who may use the {was.kind} {was.name} by default, may use it now."
    yield Action(HOOKS, f"rights by default on {was.name} taken back", (tuple(way),), note)


def grants_back(name: str, was: str, now: str) -> Iterator[str]:
    """`name`: of what, with its kind, as the fingerprint tells it; nothing is `now` where the usual rights count."""
    if not now and name.startswith(USABLE_BY_ALL) and " TO PUBLIC" not in was:
        kind, _, of = name.partition(" ")
        yield f"REVOKE ALL ON {kind.upper()} {of} FROM PUBLIC"
    for line in _lines(now):
        yield f"REVOKE ALL{_columns(line)} ON {_place(line)} FROM {line['who']}"
    for line in _lines(was):
        rights = line["rights"].split(", ")
        plain = [right for right in rights if not right.endswith(OPTION)]
        passed_on = [right.removesuffix(OPTION) for right in rights if right.endswith(OPTION)]
        for names, option in ((plain, ""), (passed_on, OPTION)):
            if names:
                listed = ", ".join(f"{name}{_columns(line)}" for name in names)
                yield f"GRANT {listed} ON {_place(line)} TO {line['who']}{option}"


def _lines(text: str) -> list[dict[str, str]]:
    return [match.groupdict() for line in text.split("; ") if (match := LINE.match(line))]


def _place(line: dict[str, str]) -> str:
    if line["word"] == "COLUMN":
        return f"TABLE {'.'.join(_parts(line)[:2])}"
    return f"{line['word']} {line['name']}"


def _columns(line: dict[str, str]) -> str:
    return f" ({_parts(line)[2]})" if line["word"] == "COLUMN" else ""


def _parts(line: dict[str, str]) -> list[str]:
    """Of a name, as it is quoted."""
    return ["".join(part) for part in split(line["name"], ".")]
