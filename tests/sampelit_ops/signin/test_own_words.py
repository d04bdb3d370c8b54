"""A password that is made of what everybody knows of the portal is refused; any composition passes otherwise."""

from __future__ import annotations

from itertools import product

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from pytest_django.fixtures import Settings

from sampelit_ops.signin.passwords import OWN_WORDS

AROUND = ("{}{}2026!", "{}-{}-{}", "{}{}{}123456", "__{}__{}__", "{}.{}#1", "{} {} 99999")


@pytest.mark.parametrize("shape", AROUND)
def test_words_of_the_portal_are_no_password(shape: str) -> None:
    for first, second in product(OWN_WORDS, ("ops", "Sampelit", "PRODUCTION")):
        with pytest.raises(ValidationError):
            validate_password(shape.format(first.title(), second, first))


def test_nor_is_the_name_of_its_host(settings: Settings) -> None:
    settings.OPS_BASE_URL = "https://control.acme-labs.example"

    with pytest.raises(ValidationError):
        validate_password("Acme-Labs-Control-2026")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "sampelit horse battery staple",
        "юстасалексузапароль",
        "zq8!vT3#pL0$",
        "8401957236402957182",
        "kräftigeBirnenbäume",
        "a" * 3 + "nother very long one " * 6,
    ],
)
def test_any_composition_of_enough_passes(password: str) -> None:
    validate_password(password)
