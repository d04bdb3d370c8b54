"""What a manifest may look like, field by field, and what it must say alike in two places. Pure.

In: the body of a signed document. Out: the first thing that is wrong. The offline verifier holds the same text, so that
both refuse the same; whoever has the signing key can still lie about rows, which only a drill tells.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from backups.archive.source import qualified

Shape = Any  # a check, a list of one shape, or the shapes of an object's fields
MOST_ITEMS, LONGEST_NAME, LONGEST_TEXT = 2_000_000, 4096, 64 << 20
PLACE = re.compile(r"\(\d{1,10},\d{1,5}\)")
TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d(?::?\d\d)?)?")
CHAIN_TABLE, CHAIN_COLUMNS = (
    "algorithm_audit_trail",
    {"experiment_id", "sequence_number", "previous_hash", "decision_hash"},
)


def name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_NAME and "\0" not in value


def text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT and "\0" not in value


def count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << 63


def whole(value: Any) -> bool:
    return type(value) is int and -(1 << 63) <= value < 1 << 63


def flag(value: Any) -> bool:
    return isinstance(value, bool)


def pattern(regex: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(regex, value) is not None


def one_of(*values: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in values


def none_or(shape: Shape) -> Callable[[Any], bool]:
    return lambda value: value is None or not misfit(value, shape)


KEY = pattern(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._/-]{0,900}")
HEX = pattern("[0-9a-f]{64}")
SEGMENT = {
    "key": KEY,
    "start": pattern(f"(?:{PLACE.pattern})?"),
    "end": pattern(f"(?:{PLACE.pattern})?"),
    "rows": count,
    "digest": pattern(r"-?\d{1,60}"),
    "raw_bytes": count,
    "raw_sha256": HEX,
    "stored_bytes": count,
    "stored_sha256": HEX,
    "encrypted": flag,
}
HEAD = {"chain": name, "rows": count, "first": whole, "last": whole, "head": name}
TABLE = {
    "schema": name,
    "name": name,
    "format": one_of("csv", "binary"),
    "named": flag,
    "columns": [{"name": name, "type": name, "hashed_as": one_of("value", "text", "output")}],
    "segments": [SEGMENT],
    "chains": none_or([HEAD]),
}
STATEMENT = {
    "phase": one_of("before", "after"),
    "kind": name,
    "name": name,
    "sql": text,
    "needed": flag,
    "table": name,
    "references": name,
}
FIRST = {
    "run": pattern("[0-9A-Za-z-]{1,64}"),
    "fence": count,
    "environment": name,
    "policy": name,
    "source": {
        **dict.fromkeys(["database", "role", "server_version", "system_identifier", "xmin", "xmax", "lsn"], name),
        "timeline": count,
        "taken_at": pattern(TIME.pattern),
    },
    "tables": [TABLE],
    "statements": [STATEMENT],
    "recipients": [name],
    "tool": name,
    "ledger_entries": count,
    "ledger_head": name,
    "previous_sha256": name,
    "format": name,
}
AROUND = dict.fromkeys(["collate", "ctype", "provider", "locale", "owner"], name)
SECOND = {
    **FIRST,
    "objects": [SEGMENT],
    "surroundings": {**AROUND, "collations": [name], "roles": [name]},
    "not_covered": [text],
}
SHAPES = {"sampelit-ops-run/1": FIRST, "sampelit-ops-run/2": SECOND}


def misfit(value: Any, shape: Shape, where: str = "") -> str:
    """The first field that is not of its kind; empty when all are."""
    if isinstance(shape, dict):
        if not isinstance(value, dict) or value.keys() != shape.keys():
            return f"{where[1:] or 'it'} has not the fields of its format"
        return next((said for field in shape if (said := misfit(value[field], shape[field], f"{where}.{field}"))), "")
    if isinstance(shape, list):
        if not isinstance(value, list) or len(value) > MOST_ITEMS:
            return f"{where[1:]} is no list"
        return next((said for item in value if (said := misfit(item, shape[0], where))), "")
    return "" if shape(value) else f"{where[1:]} is not of its kind"


def contradiction(body: dict[str, Any]) -> str:
    """What a manifest says in two places and not alike; empty when it agrees with itself."""
    tables, objects = body["tables"], body.get("objects", [])
    segments = [*objects, *(segment for table in tables for segment in table["segments"])]
    keys = [segment["key"] for segment in segments]
    prefix = f"runs/{body['run']}/{body['fence']}/"
    names = [(table["schema"], table["name"]) for table in tables]
    made = {item["table"] for item in body["statements"] if item["kind"] in ("table", "foreign_table")}
    said = [
        (len(set(keys)) < len(keys), "an object is named twice"),
        (any(not key.startswith(prefix) for key in keys), "an object lies outside the run's own place"),
        (
            any(item["encrypted"] != item["key"].endswith(".age") for item in segments),
            "an object's name and encryption",
        ),
        (any(item["encrypted"] != bool(body["recipients"]) for item in segments), "recipients and encryption"),
        (len(set(names)) < len(names), "a table is named twice"),
        (
            any(".".join(both) not in made and qualified(*both) not in made for both in names),
            "a table has no definition",
        ),
        ("objects" in body and not _has_schema(prefix, objects), "an object of the schema is missing"),
    ]
    return next((words for wrong, words in said if wrong), "") or next(
        (words for number, table in enumerate(tables) if (words := _of_table(f"{prefix}{number:03d}-", table))), ""
    )


def _has_schema(prefix: str, objects: list[dict[str, Any]]) -> bool:
    wanted = ("schema.dump", "schema.sql", "fingerprint")
    return all(any(item["key"].startswith(f"{prefix}{name}.") for item in objects) for name in wanted)


def _of_table(place: str, table: dict[str, Any]) -> str:
    """Its segments cover it once, from the first page on; its chains have as many rows as it."""
    qualified = f"{table['schema']}.{table['name']}"
    columns = [column["name"] for column in table["columns"]]
    parts = sorted(table["segments"], key=lambda part: [int(n) for n in re.findall(r"\d+", part["start"])])
    edges = ["(0,0)", *(part["end"] for part in parts)]
    chained = table["name"] == CHAIN_TABLE and set(columns) >= CHAIN_COLUMNS
    rows = sum(part["rows"] for part in parts)
    chains = table["chains"] or []
    untold = bool(parts) and all(part["digest"] == "0" for part in parts)  # a copy without evidence, for a benchmark
    endings = (".csv.zst", ".binary.zst") if table["format"] == "csv" else ".binary.zst"  # too long for CSV is binary
    strange = [part for part in parts if not part["key"].removesuffix(".age").endswith(endings)]
    said = [
        (len(set(columns)) < len(columns), "a column is named twice"),
        (bool(strange), "a segment of another format"),
        (any(not part["key"].startswith(place) for part in parts), "a segment of another table"),
        (bool(parts) and [*(part["start"] for part in parts), ""] != edges, "its segments do not cover it once"),
        (
            chained and table["chains"] is None and not untold,
            "its chains are missing",
        ),
        (len({head["chain"] for head in chains}) < len(chains), "a chain is named twice"),
        (table["chains"] is not None and sum(head["rows"] for head in chains) != rows, "rows of its chains"),
    ]
    return next((f"{qualified}: {words}" for wrong, words in said if wrong), "")
