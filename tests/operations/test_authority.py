"""Whoever decides asks `authority`: an active person with the permission for the environment of the act."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User

from operations.authority import VOTE, holders, holds
from operations.models import Environment
from tests.people import holder


def test_a_role_that_is_held_everywhere_counts_in_each_environment(db: None) -> None:
    staging, production = (Environment.objects.create(slug=slug, name=slug) for slug in ("staging", "production"))
    ada = holder("ada", "approve_operation")

    answers = [holds(ada, VOTE, where) for where in (staging, production, None)]

    assert answers == [True, True, True]
    assert list(holders(VOTE, production)) == [ada]


def test_nobody_holds_anything_who_is_not_active_or_not_signed_in(db: None) -> None:
    staging = Environment.objects.create(slug="staging", name="staging")
    gone = holder("gone", "approve_operation")
    User.objects.filter(pk=gone.pk).update(is_active=False, is_superuser=True)
    gone = User.objects.get(pk=gone.pk)

    answers = [holds(person, VOTE, where) for person in (gone, AnonymousUser()) for where in (staging, None)]

    assert answers == [False] * 4
    assert not holders(VOTE, staging).exists()
