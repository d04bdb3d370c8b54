"""What a collector kept is compared with the ledger of now: rewritten, cut and doubled entries show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from ledger import stream
from ledger.authenticity import digest_of
from ledger.models import Entry, Stream
from ledger.services import record
from operations import doctor
from tests.ledger.collectors import Https, Syslog, certificate

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["syslog", "https"])
def there(request: pytest.FixtureRequest, tmp_path: Path, settings: Any) -> Iterator[Syslog | Https]:
    pem = certificate(tmp_path)
    made: Syslog | Https = Https(pem, "t0ken") if request.param == "https" else Syslog()
    settings.OPS_LEDGER_COLLECTOR, settings.OPS_LEDGER_COLLECTOR_TOKEN = made.url, "t0ken"
    settings.OPS_LEDGER_COLLECTOR_CA = str(pem)
    yield made
    made.stop()


def happen(count: int) -> None:
    for number in range(count):
        record("operations.requested", actor="ada", data={"number": number})


def sent() -> int:
    Stream.objects.update(next_try_at=None)
    return stream.send_due() or stream.send_due()


def rewrite(sequence: int) -> None:
    """As the owner of the tables can: another actor, hashes made anew from there on."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
        previous = Entry.objects.get(sequence=sequence).previous_sha256
        for entry in Entry.objects.filter(sequence__gte=sequence).order_by("sequence"):
            entry.actor = "nobody" if entry.sequence == sequence else entry.actor
            entry.previous_sha256 = previous
            previous = entry.sha256 = digest_of(entry)
            Entry.objects.filter(pk=entry.pk).update(
                actor=entry.actor, previous_sha256=entry.previous_sha256, sha256=entry.sha256
            )
        cursor.execute("ALTER TABLE ledger_entry ENABLE TRIGGER USER")


def compared(there: Syslog | Https, tmp_path: Path) -> tuple[int, dict[str, Any]]:
    file, out = tmp_path / "kept", StringIO()
    file.write_text("\n".join(there.kept))
    try:
        call_command("ops", "ledger", "compare", str(file), "--json", stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_a_rewritten_ledger_differs_from_what_was_sent(there: Syslog | Https, tmp_path: Path) -> None:
    happen(6)
    sent()
    assert compared(there, tmp_path) == (0, {"valid": True, "lines": 6, "problems": []})

    rewrite(4)
    happen(1)

    code, found = compared(there, tmp_path)
    assert (code, len(found["problems"])) == (1, 3)
    assert "entry 4 is another one in the ledger now" in found["problems"][0]
    assert sent() == 0
    assert "the ledger was rewritten" in Stream.objects.get().error
    assert any(check.tone == "bad" and "rewritten" in check.found for check in doctor.run(only="collector"))


def test_a_cut_ledger_a_doubled_entry_and_a_gap_in_the_file_are_told(tmp_path: Path) -> None:
    first, second = (record("operations.requested", actor="ada") for _ in range(2))
    lines = [(1, first.sha256), (2, "0" * 64), (2, second.sha256), (5, "1" * 64)]
    file = tmp_path / "kept"
    file.write_text("\n".join(json.dumps({"sequence": number, "sha256": sha256}) for number, sha256 in lines))
    out = StringIO()

    with pytest.raises(SystemExit):
        call_command("ops", "ledger", "compare", str(file), stdout=out)

    told = out.getvalue()
    for sentence in ("line 2: entry 2 is another", "line 3: the collector was sent two entries 2"):
        assert sentence in told
    assert "line 4: entry 5 is gone" in told
    assert "lacks entries 3 to 4" in told


@pytest.mark.parametrize(
    "text", ["x", "{}", '{"sequence": true, "sha256": "a"}', "[" * 5000, '{"sequence": "1"}', "\x00"]
)
def test_a_file_of_other_lines_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "kept"
    file.write_text(text)

    with pytest.raises(CommandError) as ended:
        call_command("ops", "ledger", "compare", str(file), stderr=StringIO())

    assert ended.value.returncode == 2
