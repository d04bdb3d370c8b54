"""Names read out of texts that PostgreSQL or pg_dump wrote, quoted or not, whatever they hold. Pure, in linear time.

In: a statement, a line of the catalogue. Out: its pieces, names without their quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from providers.postgres.schema.model import Name

# A quoted name, a text, a word, blanks, or one other character: each is in a piece, so nothing is read twice.
_PIECE = re.compile(r""""(?:[^"]|"")*+"?|'(?:[^']|'')*+'?|[^\s"'.,;:()\[\]]++|\s++|.""", re.DOTALL)
_NO_NAME = frozenset(".,;:()[]'")


def pieces(text: str) -> list[str]:
    """All of the text, cut at names, texts and signs."""
    return _PIECE.findall(text)


def parts(name: str) -> tuple[str, ...]:
    """`"a.b".c` as ("a.b", "c"); a last part may hold blanks."""
    return tuple(bare("".join(part)) for part in split(name, "."))


def names(text: str) -> Iterator[Name]:
    """Each schema.name of the text."""
    found = pieces(text)
    place = 0
    while place + 2 < len(found):
        schema, dot, name = found[place : place + 3]
        is_name = dot == "." and not (_is_other(schema) or _is_other(name))
        if is_name:
            yield bare(schema), bare(name)
        place += 3 if is_name else 1


def split(text: str, sign: str) -> Iterator[Sequence[str]]:
    """The pieces between each `sign` that stands outside of quotes; none for a part that is empty."""
    part: list[str] = []
    for piece in [*pieces(text), sign]:
        if piece != sign:
            part.append(piece)
        elif part:
            yield part
            part = []


def bare(name: str) -> str:
    """Without its quotes."""
    return name[1:].removesuffix('"').replace('""', '"') if name.startswith('"') else name


def _is_other(piece: str) -> bool:
    return piece[0] in _NO_NAME or piece.isspace()
