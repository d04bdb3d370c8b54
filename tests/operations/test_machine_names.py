"""Nobody takes a machine's name, or one that looks like it, by any way; what machines may is asked of their mark."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from operations import accounts
from operations.engine import kinds
from operations.engine.request import check_device
from operations.models import MachineAccount
from providers.errors import Refused
from providers.lookalikes import IMITATIONS, skeleton
from tests import factories, sampling

pytestmark = pytest.mark.django_db
BETWEEN = " \t\u00a0\u200b\u200d\u2060\ufeff\u00ad.-_+"  # no name of Django's holds most of them; rows of SQL may
ACCENTS = "\u0300\u0301\u0308\u0327"


def disguised(name: str, chance: random.Random) -> str:
    """The name as somebody would write it who wants to be taken for it."""
    letters = []
    for letter in name:
        choices = [letter, letter.upper(), *IMITATIONS.get(letter.lower(), "")]
        shown = chance.choice(choices)
        letters.append(shown + chance.choice(["", "", "", chance.choice(BETWEEN), chance.choice(ACCENTS)]))
    wide = chance.random() < 0.2
    text = "".join(letters)
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text) if wide else text


SEED = random.Random(sampling.SEED)
DISGUISES = sorted({disguised(name, SEED) for name in accounts.MACHINES for _ in range(60)})


@pytest.mark.parametrize(
    "name", [*accounts.MACHINES, "SYSTEM", " render ", "ѕуѕtеm", "ｓｙｓｔｅｍ", "𝓼𝔂𝓼𝓽𝓮𝓶", "systern", "p0rta1"]
)
def test_what_looks_like_a_machine_is_taken_for_it(name: str) -> None:
    assert accounts.machine(name)


@pytest.mark.parametrize("name", ["ana", "systema", "renderer", "supa", "portal-team", "sheila", "Юлия", "shelly", ""])
def test_other_names_are_free(name: str) -> None:
    assert not accounts.machine(name)


def test_every_disguise_is_seen_through_here_and_by_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, operations_name_skeleton(name) FROM unnest(%s::text[]) AS name", [DISGUISES])
        in_database = dict(cursor.fetchall())

    assert len(DISGUISES) > 300
    assert [name for name in DISGUISES if not accounts.machine(name)] == []
    assert {name: skeleton(name) for name in DISGUISES} == in_database


def by_form(name: str) -> None:
    User(username=name, password="!").full_clean()


def by_createsuperuser(name: str) -> None:
    call_command("createsuperuser", username=name, email="x@example.com", interactive=False)


def by_manager(name: str) -> None:
    User.objects.create_user(name, password="a long password of hers")


def by_superuser(name: str) -> None:
    User.objects.create_superuser(name, password="a long password of hers")


def by_rename(name: str) -> None:
    User.objects.filter(pk=User.objects.create_user("ana").pk).update(username=name)


def by_sql(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO auth_user (username, password, is_superuser, is_staff, is_active, date_joined, first_name,"
            " last_name, email) VALUES (%s, '', true, true, true, now(), '', '', '')",
            [name],
        )


WAYS = (by_form, by_createsuperuser, by_manager, by_superuser, by_rename, by_sql)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize(
    "name", ["system", "Render", "PORTAL", "ѕуѕtеm", "Supabase", "schedu1er", "wаtchdog", "sys.tem"]
)
def test_no_way_leads_to_such_a_name(way: Callable[[str], None], name: str) -> None:
    with pytest.raises((ValidationError, CommandError, IntegrityError)), transaction.atomic():
        way(name)

    assert not User.objects.filter(username=name).exists()


@pytest.mark.parametrize(
    ("taken", "name"), [("ana", "Ana"), ("ana", "аnа"), ("ana", "a.na"), ("tim", "tirn"), ("lea", "iea")]
)
def test_nobody_is_called_what_looks_like_somebody(taken: str, name: str) -> None:
    User.objects.create_user(taken)

    with pytest.raises(ValidationError, match=r"looks like|mixes"):
        by_form(name)


def test_ones_own_name_and_other_alphabets_are_fine() -> None:
    ana = User.objects.create_user("ana", password="a long password of hers")

    ana.full_clean()

    for name in ("юлия", "ανα-δ", "zoë", "o'neil".replace("'", "")):
        assert not accounts.why_not_name(name)


@pytest.mark.parametrize(
    "change", ["password = 'pbkdf2$x'", "is_staff = true", "is_superuser = true", "username = 'ana', is_staff = true"]
)
def test_nobody_signs_in_as_the_portals_account(change: str) -> None:
    system = accounts.system_user("backups.request_export")

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE auth_user SET {change} WHERE id = %s", [system.pk])


def test_the_mark_and_not_the_name_spares_the_second_factor(settings) -> None:
    settings.DEMO = False
    kind = kinds.get("rehearsal.destructive")
    system = accounts.system_user("backups.request_export")
    named = User(pk=10**6, username="system")

    check_device(kind, "destructive", system)
    with pytest.raises(PermissionDenied, match="second factor"):
        check_device(kind, "destructive", named)


def test_an_unmarked_account_of_that_name_acts_as_no_machine() -> None:
    assert accounts.acts_as_machine("system")  # before schedules made their account
    User.objects.create(username="system", password="!")

    assert not accounts.acts_as_machine("system")
    MachineAccount.objects.create(user=User.objects.get())

    assert accounts.acts_as_machine("system")
    assert not accounts.acts_as_machine("vera")


def test_without_a_mark_the_account_is_not_used() -> None:
    User.objects.create(username="system", password="!")

    with pytest.raises(Refused, match="rename that person"):
        accounts.system_user("backups.request_export")


def test_the_account_is_found_by_its_mark() -> None:
    system = accounts.system_user("backups.request_export")
    factories.person("vera")

    assert (accounts.is_machine(system), MachineAccount.objects.get().user) == (True, system)
    assert accounts.system_user("backups.request_export") == system
    assert not accounts.is_machine(User.objects.get(username="vera"))
