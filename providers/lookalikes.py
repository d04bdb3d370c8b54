"""Whether two names look the same to a reader: case, accents, spaces, invisible and foreign letters aside. Pure.

In: names. Out: skeletons to compare (after Unicode TR 39, for what a Latin name can be imitated with). The same is said
in `operations/migrations/sql_machine_names.sql`; a test holds them together.
"""

from __future__ import annotations

import unicodedata

# What stands for a Latin letter: figures and signs, then Cyrillic, Greek, Armenian and small capitals.
IMITATIONS = {
    "a": "@4аАɑαΑᴀ",
    "b": "8вВβΒьʙ",
    "c": "сСϲᴄ",
    "d": "ԁɗᴅ",
    "e": "3еЕεΕєᴇё",
    "g": "9ɡɢ",
    "h": "нНһΗʜ",
    "k": "кКκΚᴋ",
    "l": "1iI|!ıіІїιΙӏӀʟɪ",
    "m": "мМΜᴍ",
    "n": "пПνηΝոռɴ",
    "o": "0оОοΟօσᴏ",
    "p": "рРρΡᴘ",
    "r": "гГʀꮁ",
    "s": "5$ѕЅꜱ",
    "t": "7тТτΤᴛ",
    "u": "υսцᴜ",
    "v": "ѵᴠ",
    "w": "ѡωшᴡ",
    "x": "хХχΧ",
    "y": "уУγΥўʏ",
    "z": "2ᴢΖ",
}
_LETTERS = {ord(imitation): letter for letter, imitations in IMITATIONS.items() for imitation in imitations}


def skeleton(name: str) -> str:
    """Equal for names that a reader takes for the same."""
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS)).translate(_LETTERS).casefold().translate(_LETTERS)
    return "".join(letter for letter in plain if letter.isalnum()).replace("rn", "m").replace("vv", "w")


def scripts(name: str) -> set[str]:
    """The scripts of its letters, by the first word of their Unicode names: LATIN, CYRILLIC."""
    return {unicodedata.name(letter, "UNNAMED").split()[0] for letter in name if letter.isalpha()}
