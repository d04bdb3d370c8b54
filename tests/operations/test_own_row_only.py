"""What is written about one row is written to it alone: a neighbour that looks alike stays as it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.utils import timezone
from pytest_django.fixtures import Settings

from operations import databases, supabase_projects
from operations.factors import devices, rotation
from operations.models import AccessToken, Authenticator, Environment
from operations.models.factor_key import opened, sealed
from operations.tokens import ending, standing
from providers.postgres.identity import Identity

FOUND = Identity("7", 42, "product")


@pytest.fixture
def staging(production: Environment) -> Environment:
    return Environment.objects.create(slug="staging", name="Staging", kind="staging")


@pytest.fixture
def vera(db: None) -> User:
    return User.objects.create_user("vera", password="first")


@pytest.fixture
def ben(vera: User) -> User:
    return User.objects.create_user("ben", password="first")


def fields(row: Model) -> dict[str, object]:
    fresh = type(row)._default_manager.get(pk=row.pk)
    return {field.name: getattr(fresh, field.attname) for field in row._meta.concrete_fields}


WRITES: dict[str, Callable[[Environment], object]] = {
    "its database is met": lambda row: databases.meet(row, "export", "host:5432/product", FOUND),
    "its project is linked": lambda row: supabase_projects.link(row, "abcdefghij", by="vera", how="a test"),
}


@pytest.mark.parametrize("what", WRITES)
def test_an_environment(production: Environment, staging: Environment, what: str) -> None:
    before, neighbour = fields(production), fields(staging)

    WRITES[what](production)

    assert fields(production) != before
    assert fields(staging) == neighbour


def test_an_update_that_meets_no_row_says_so(production: Environment) -> None:
    assert Environment.objects.filter(pk=0).update(votes_routine=1) == 0
    assert Environment.objects.filter(pk=production.pk).update(votes_routine=1) == 1


def test_tokens_end_with_their_owner_and_only_once(vera: User, ben: User) -> None:
    mine, ended, other = (
        AccessToken.objects.issue(user, name)[0] for user, name in zip((vera, vera, ben), "abc", strict=True)
    )
    AccessToken.objects.filter(pk=ended.pk).update(revoked_at=timezone.now())
    before, neighbour = fields(ended), fields(other)

    ending.end_tokens(vera, actor="vera")

    assert fields(mine)["revoked_at"]
    assert (fields(ended), fields(other)) == (before, neighbour)
    assert ending.revoke(ended, actor="vera") is False


def test_a_newer_hash_keeps_what_rested_on_the_password_and_nothing_else(vera: User, ben: User) -> None:
    old = vera.password
    _, ended, _, fallen = (
        AccessToken.objects.issue(user, name)[0] for user, name in zip((vera, vera, ben, vera), "abcd", strict=True)
    )
    stood = standing.standing_sha256(vera)
    AccessToken.objects.update(standing_sha256=stood)
    AccessToken.objects.filter(pk=ended.pk).update(revoked_at=timezone.now())
    AccessToken.objects.filter(pk=fallen.pk).update(standing_sha256="0" * 64)
    vera.set_password("first")
    vera.save()

    standing.keep(vera, old)

    now = standing.standing_sha256(vera)
    stands = {row.name: row.standing_sha256 for row in AccessToken.objects.all()}
    assert now != stood
    assert stands == {"a": now, "b": stood, "c": stood, "d": "0" * 64}


def test_each_factor_is_sealed_anew_for_its_owner(vera: User, ben: User, settings: Settings) -> None:
    mine, his = devices.enrol(vera), devices.enrol(ben)
    keys = {device.pk: device.bin_key for device in (mine, his)}
    settings.FACTOR_KEY_FALLBACKS, settings.FACTOR_KEY = [settings.FACTOR_KEY], "another key, as long as the first" * 2

    assert rotation.reseal() == 2

    assert {device.pk: device.bin_key for device in Authenticator.objects.all()} == keys


def test_a_factor_that_changes_meanwhile_is_not_overwritten(
    vera: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    device, newest = devices.enrol(vera), bytes(range(20))
    settings.FACTOR_KEY_FALLBACKS, settings.FACTOR_KEY = [settings.FACTOR_KEY], "another key, as long as the first" * 2

    def replaced(text: bytes, owner: str) -> str:
        Authenticator.objects.filter(pk=device.pk).update(key=sealed(newest, owner))
        return sealed(text, owner)

    monkeypatch.setattr(rotation, "sealed", replaced)
    rotation.reseal()

    device.refresh_from_db()
    assert opened(device.key, device.seal_owner) == newest
