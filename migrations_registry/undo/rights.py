"""Rights as the catalogue's fingerprint tells them, as statements that give them again. Pure.

In: "GRANT a, b WITH GRANT OPTION ON TABLE t TO r; …" before and now. Out: REVOKE of what is now, GRANT of what was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrations_registry.undo.names import PART

LINE = re.compile(r"^GRANT (?P<rights>.+?) ON (?P<word>TABLE|COLUMN|FUNCTION|TYPE|SCHEMA) (?P<name>.+) TO (?P<who>.+)$")
OPTION = " WITH GRANT OPTION"


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
        return f"TABLE {'.'.join(PART.findall(line['name'])[:2])}"
    return f"{line['word']} {line['name']}"


def _columns(line: dict[str, str]) -> str:
    return f" ({PART.findall(line['name'])[2]})" if line["word"] == "COLUMN" else ""
