"""The account that schedules act as: one, without a password, with what was asked for and no more."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User

from operations import accounts

pytestmark = pytest.mark.django_db


def test_the_system_account_is_one_and_gathers_what_its_schedules_need() -> None:
    first = accounts.system_user("backups.request_export")
    second = accounts.system_user("deployments.rollback")

    assert (first.pk, first.username) == (second.pk, "system")
    assert not second.has_usable_password()
    assert not second.is_staff
    assert second.get_all_permissions() == {"backups.request_export", "deployments.rollback"}
    assert User.objects.get().pk == second.pk


def test_a_permission_that_nobody_defined_is_no_permission() -> None:
    with pytest.raises(Permission.DoesNotExist):
        accounts.system_user("backups.request_everything")


@pytest.mark.parametrize(("name", "known"), [("system", True), ("Watchdog", True), (" render ", True), ("ana", False)])
def test_names_of_machines_are_known_in_every_case(name: str, known: bool) -> None:
    assert bool(accounts.machine(name)) is known
