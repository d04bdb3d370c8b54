"""Names as the catalogue writes them ("public"."Odd name".column) as tuples without quotes. Pure."""

from __future__ import annotations

import re

Name = tuple[str, ...]
PART = re.compile(r"\"(?:[^\"]|\"\")+\"|[^.\"]+")


def parts(name: str) -> Name:
    return tuple(part[1:-1].replace('""', '"') if part.startswith('"') else part for part in PART.findall(name))
