"""The portal changes no whole table, whoever lost the condition."""

from __future__ import annotations

import pytest

from operations.models import Heartbeat
from tests.whole_tables import ROOT

pytestmark = pytest.mark.django_db
EVERY_ROW = "Heartbeat.objects.update(detail={})"


def test_an_update_without_condition_is_no_bodys_but_a_tests() -> None:
    portals = compile(EVERY_ROW, str(ROOT / "operations" / "careless.py"), "exec")

    assert Heartbeat.objects.update(detail={}) == 0
    with pytest.raises(AssertionError, match="every heartbeat"):
        exec(portals, {"Heartbeat": Heartbeat})


def test_an_update_of_named_rows_is_anybodys() -> None:
    named = EVERY_ROW.replace("update", "filter(name='tick').update")

    exec(compile(named, str(ROOT / "operations" / "careful.py"), "exec"), {"Heartbeat": Heartbeat})
