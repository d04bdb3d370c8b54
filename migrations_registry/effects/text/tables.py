"""Tables of rules written as text: a line says for which statements, which verbs, which kinds, which aspects.

In: lines "names | verbs | kinds | aspects". Out: names → rules. A capital letter stands for a set of kinds or aspects.
"""

from __future__ import annotations

from collections.abc import Mapping

Rule = tuple[frozenset[str], frozenset[str], frozenset[str]]


def rules(text: str, sets: Mapping[str, frozenset[str]]) -> dict[str, list[Rule]]:
    """Names before the first bar are divided by blanks, all others by commas; an empty field means any."""
    found: dict[str, list[Rule]] = {}
    for line in text.strip().splitlines():
        names, verbs, kinds, aspects = (field.strip() for field in line.split("|"))
        for name in names.split():
            found.setdefault(name, []).append((_set(verbs, sets), _set(kinds, sets), _set(aspects, sets)))
    return found


def _set(field: str, sets: Mapping[str, frozenset[str]]) -> frozenset[str]:
    words = [word.strip() for word in field.split(",") if word.strip()]
    return frozenset().union(*(sets.get(word, frozenset({word})) for word in words))
