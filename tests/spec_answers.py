"""Answers made from a provider's published file, without a change to it: what each operation may answer, by schema.

In: the file and a request. Out: answers that are valid by it; whole ones, and ones in which one thing is as it may be
tomorrow: null, missing, a new word, one field more.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

Json = Any
BY_FORMAT = {
    "date-time": "2026-11-23T04:05:06Z",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://x.example",
}
PLAIN = {"string": "word", "integer": 7, "number": 7.5, "boolean": True}


class Answers:
    def __init__(self, path: Path) -> None:
        self._file = json.loads(path.read_text(encoding="utf-8"))

    def schema(self, method: str, path: str) -> Json | None:
        """Of the answer of the most literal path that fits; None where it has no body. Raises KeyError."""
        pieces = path.partition("?")[0].split("/")
        fits = [
            (name.count("{"), found[method.lower()])
            for name, found in self._file["paths"].items()
            if method.lower() in found
            and len(parts := name.split("/")) == len(pieces)
            and all(part.startswith("{") or part == unquote(piece) for part, piece in zip(parts, pieces, strict=True))
        ]
        if not fits:
            raise KeyError(path)
        operation = min(fits, key=lambda fit: fit[0])[1]
        good = next(answer for code, answer in operation["responses"].items() if code.startswith("2"))
        return self._resolved(good).get("content", {}).get("application/json", {}).get("schema")

    def _resolved(self, schema: Json) -> Json:
        while "$ref" in schema:
            found = self._file
            for key in schema["$ref"].lstrip("#/").split("/"):
                key = key.replace("~1", "/").replace("~0", "~")
                key = key if isinstance(found, list) or key in found else unquote(key)
                found = found[int(key)] if isinstance(found, list) else found[key]
            schema = found
        return schema

    def made(self, schema: Json, branch: int = 0, depth: int = 0) -> Json:
        """One valid value with everything in it; `branch` chooses of alternatives."""
        schema = self._resolved(schema)
        if several := schema.get("oneOf") or schema.get("anyOf"):
            return self.made(several[branch % len(several)], branch, depth + 1)
        if "allOf" in schema:
            return functools.reduce(lambda one, part: one | self.made(part, branch, depth + 1), schema["allOf"], {})
        if words := schema.get("enum"):
            return words[branch % len(words)]
        if schema.get("type") == "array":
            return [self.made(schema["items"], branch, depth + 1)] if depth < 12 else []
        if schema.get("type") == "object" or "properties" in schema:
            named = schema.get("properties", {})
            return {name: self.made(inner, branch, depth + 1) for name, inner in named.items()} if depth < 12 else {}
        return BY_FORMAT.get(schema.get("format", ""), PLAIN.get(schema.get("type", ""), "word"))


@functools.cache
def of(path: Path) -> Answers:
    return Answers(path)


def spoiled(answer: Json) -> Iterator[Json]:
    """The answer with each field of each object once null, once gone, once of a new word, and once with one more."""
    for path in list(_paths(answer)):
        for change in ("null", "gone", "new", "more"):
            copy = json.loads(json.dumps(answer))
            place = functools.reduce(lambda held, key: held[key], path[:-1], copy)
            if change == "gone" and isinstance(place, dict):
                del place[path[-1]]
            elif change == "more" and isinstance(place, dict):
                place["aFieldOfTomorrow"] = {"deep": [1]}
            else:
                place[path[-1]] = None if change == "null" else "a_word_of_tomorrow"
            yield copy


def _paths(value: Json, held: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*held, key)
        yield from _paths(each, (*held, key))
