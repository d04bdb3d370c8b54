"""Files of public projects in their own order: applied as psql applies them, or refused with a reason.

Here a short history with one file of each kind that such projects hold; with OPS_TEST_HISTORIES_IN=DIR (see collect.py)
every project of DIR, and with OPS_TEST_HISTORIES_LOG=FILE a line for every file.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from migrations_registry.models import StreamBaseline
from tests import sampling
from tests.migrations_registry.histories.walk import APPLIED, BOTH, DIFFERENT, REFUSED, files_of, walking

pytestmark = pytest.mark.django_db(transaction=True)
HERE = Path(__file__).parent
PUBLIC = sampling.given("HISTORIES_IN")
FOLDERS = [HERE / "own", *(sorted(path for path in Path(PUBLIC).iterdir() if path.name[0] != ".") if PUBLIC else ())]
# What a person agrees with: the file asks for what a runner must not give, or the server itself refuses it.
AGREED = re.compile(
    r"is a command of psql|takes its rows from the file|not UTF-8|byte order mark|MT-TX-CONTROL|MT-BODY-COMMIT|"
    r"MT-TIMEOUT-OFF|MT-ENUM-USE|cannot be (seen|measured)|a setting of the whole|role"
)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_file_is_applied_as_psql_does_or_refused_with_a_reason(
    folder: Path, ana: User, backups: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OPS_LEASE_SECONDS = 600
    outcomes = []
    with walking(ana, monkeypatch, folder) as walk:
        StreamBaseline.objects.create(environment=walk.environment, stream="supabase", proposal=[], made_by="ana")
        for name, data in files_of(folder):
            outcomes.append(walk.take(name, data))
            _log(folder.name, outcomes[-1])

    assert [one for one in outcomes if one.what == DIFFERENT] == []
    assert [one for one in outcomes if one.what == REFUSED and not AGREED.search(one.why)] == []
    if folder.name == "own":
        assert Counter(one.what for one in outcomes) == {APPLIED: 7, BOTH: 1, REFUSED: 1}, outcomes


def _log(project: str, outcome: Any) -> None:
    if log := sampling.given("HISTORIES_LOG"):
        with Path(log).open("a", encoding="utf-8") as out:
            out.write(json.dumps({"project": project, **asdict(outcome)}) + "\n")
