"""One code, many sign-ins at once: it works for one of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection

from operations.factors import devices
from providers.errors import Refused
from tests.sampelit_ops.signin.codes import code_of


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("recovery", [False, True])
def test_a_code_raced_by_eight_works_once(recovery: bool) -> None:
    olga = User.objects.create_user("olga", is_staff=True)
    code = code_of(devices.enrol(olga, "app"))
    if recovery:
        code = devices.new_recovery_codes(olga)[0]

    def attempt(_: int) -> bool:
        try:
            devices.verify(olga, code)
        except Refused:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(8)))

    assert sum(answers) == 1
