"""Rights as the catalogue's fingerprint tells them, as statements that give them again. Pure.

In: "GRANT a, b WITH GRANT OPTION ON TABLE t TO r; …" before and now. Out: REVOKE of what is now, GRANT of what was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrations_registry.fingerprint import Fingerprint, SchemaObject
from migrations_registry.undo.action import HOOKS, Action
from providers.postgres.schema.names import split

LINE = re.compile(r"^GRANT (?P<rights>.+?) ON (?P<word>TABLE|COLUMN|FUNCTION|TYPE|SCHEMA) (?P<name>.+) TO (?P<who>.+)$")
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


def grants_back(was: str, now: str) -> Iterator[str]:
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
