"""Seeded invention: ids, names and visitors. In: a `random.Random`. Out: the same values for the same seed."""

from __future__ import annotations

import random
from uuid import UUID

NON_ASCII = (
    "señal-{}",
    "訪問者-{}",
    "посетитель-{}",
    "😀-{}",
    "emoji-👩🏽‍💻-{}",
    "naïve\u2028{}",
    "del\x7f{}",
    "“cité”-{}",
)
ESCAPED = ('quote"{}', "back\\slash-{}", "tab\t{}", "slash/{}")
COMPANIES = ("Almazara Sur", "Café Norte", "Librería Ñandú", "Velo & Co", "Mueble Claro", "Huerta Viva", "Zapatería 21")
PEOPLE = ("Inés Peña", "Jürgen Weiß", "Zoë O'Neill", "Łukasz Nowak", "María-José Ibáñez", "Ana Núñez", "Bo Li")
EXPERIMENTS = (
    "Checkout button",
    "Hero headline",
    "Pricing page layout",
    "Sign-up form length",
    "Precio con IVA",
    "Free-shipping bar",
    "Newsletter pop-up",
    "Product photos",
    "Trust badges",
    "Menú móvil",
    "Search placement",
    "Return policy wording",
)
SEGMENTS = ("default",) * 6 + ("mobile", "desktop", "es-ES", "móvil")


def new_id(rng: random.Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)


def visitor(rng: random.Random) -> str:
    """About 1 % hold non-ASCII and 0.5 % characters that JSON escapes; the tail keeps each one unique."""
    tail, draw = f"{rng.getrandbits(64):016x}", rng.random()
    if draw < 0.010:
        return rng.choice(NON_ASCII).format(tail)
    return rng.choice(ESCAPED).format(tail) if draw < 0.015 else f"v_{tail}"


def digest(rng: random.Random) -> str:
    return f"{rng.getrandbits(256):064x}"
