"""Every entry reaches the collector, in order, at least once, whatever dies; a rewritten ledger shows there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from ledger import canonical, stream
from ledger.models import Entry, Stream
from ledger.services import record
from operations import doctor
from providers import collector
from providers.errors import Refused
from tests.ledger.collectors import Https, Syslog, certificate

pytestmark = pytest.mark.django_db
Collector = Syslog | Https


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("collector"))


@pytest.fixture(params=["tcp", "tls", "https"])
def there(request: pytest.FixtureRequest, pem: Path, settings: Any) -> Iterator[Collector]:
    made: Collector = (
        Https(pem, "t0ken") if request.param == "https" else Syslog(pem if request.param == "tls" else None)
    )
    settings.OPS_LEDGER_COLLECTOR = made.url
    settings.OPS_LEDGER_COLLECTOR_TOKEN = "t0ken"
    settings.OPS_LEDGER_COLLECTOR_CA = str(pem)
    yield made
    made.stop()


def happen(count: int, code: str = "operations.requested") -> list[int]:
    return [record(code, actor="ada", subject="ü\n\t", data={"number": number}).sequence for number in range(count)]


def sent() -> int:
    """One try, as if the pause after the last failure were over; the first look only makes the row."""
    Stream.objects.update(next_try_at=None)
    return stream.send_due() or stream.send_due()


def received(there: Collector) -> list[dict[str, Any]]:
    return [json.loads(line[line.index("{") :]) for line in there.kept]


def test_entries_arrive_once_and_in_order_with_all_that_their_hash_covers(there: Collector) -> None:
    sequences = happen(450)

    assert sent() == 450
    assert sent() == 0

    lines = received(there)
    assert [line["sequence"] for line in lines] == sequences
    for line in lines:
        chained, hashed = line.pop("previous_sha256"), line.pop("sha256")
        assert canonical.digest(chained, list(line.values())) == hashed


def test_a_collector_that_was_away_gets_what_it_missed(there: Collector) -> None:
    first = happen(3)
    sent()
    there.stop()
    missed = happen(3)
    assert sent() == 0
    failed = Stream.objects.get()

    there.start()
    assert sent() == 3

    assert [line["sequence"] for line in received(there)] == first + missed
    assert (failed.sequence, failed.failures > 0) == (first[-1], True)
    assert "did not take the lines" in failed.error
    assert Stream.objects.get().error == ""


@pytest.mark.parametrize("there", ["tcp", "tls"], indirect=True)
@pytest.mark.parametrize("dies_after", [0, 1, 7, 29])
def test_what_a_dying_syslog_server_had_not_read_comes_again(there: Syslog, dies_after: int) -> None:
    sequences = happen(30)
    there.dies_after = dies_after
    assert sent() == 0

    there.dies_after = None
    assert sent() == 30

    arrived = [line["sequence"] for line in received(there)]
    assert arrived == sequences[:dies_after] + sequences


@pytest.mark.parametrize("there", ["https"], indirect=True)
@pytest.mark.parametrize("status", [302, 401, 404, 413, 429, 500, 503])
def test_an_answer_that_is_no_yes_confirms_nothing(there: Https, status: int) -> None:
    happen(2)
    there.status = status

    assert sent() == 0

    assert (Stream.objects.get().sequence, there.kept) == (0, [])
    assert str(status) in Stream.objects.get().error


def test_a_wrong_certificate_gets_nothing(there: Collector, settings: Any) -> None:
    settings.OPS_LEDGER_COLLECTOR_CA = ""
    happen(1)

    taken = sent()

    assert (taken, there.kept) == ((1, there.kept) if there.__class__ is Syslog and not there.pem else (0, []))


def test_pauses_grow_but_never_beyond_half_a_minute(settings: Any) -> None:
    settings.OPS_LEDGER_COLLECTOR = "syslog+tcp://127.0.0.1:9"
    happen(1)
    pauses = []
    for _ in range(12):
        sent()
        row = Stream.objects.get()
        pauses.append(round((row.next_try_at - timezone.now()).total_seconds()))
        assert stream.send_due() == 0

    assert pauses == [2, 4, 8, 16, *[30] * 8]


def test_another_collector_gets_the_whole_ledger(there: Collector, pem: Path, settings: Any) -> None:
    happen(2)
    sent()
    other = Syslog(pem)
    settings.OPS_LEDGER_COLLECTOR = other.url

    assert sent() == 2
    other.stop()


ADDRESSES = [
    "",
    "collector",
    "ftp://collector/",
    "http://collector.example/",
    "syslog+tcp://10.0.0.7:601",
    "https://a:b@c/",
    "https://collector/?token=x",
    "syslog+tls://:6514",
    "https://collector:99999/",
    "syslog+udp://127.0.0.1:514",
]


@pytest.mark.parametrize("url", ADDRESSES)
def test_an_address_that_would_leak_or_is_none_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="Nothing was sent"):
        collector.at(url)


@pytest.mark.parametrize("there", ["tls"], indirect=True)
def test_a_syslog_line_is_what_rfc_5424_says(there: Syslog) -> None:
    record("operations.requested", actor="ada")
    sent()
    entry = Entry.objects.get()

    header, _, rest = there.kept[0].partition(" [")
    facts, _, text = rest.partition("] ")
    assert header.startswith(f"<109>1 {entry.at:%Y-%m-%dT%H:%M:%S.%fZ} ")
    assert header.split()[3:] == ["sampelit-ops", "-", "operations.requested"]
    assert facts == f'ledger@32473 sequence="{entry.sequence}" sha256="{entry.sha256}"'
    assert json.loads(text)["sha256"] == entry.sha256


def test_doctor_and_metrics_know_how_far_it_is_behind(there: Collector, settings: Any, client: Client) -> None:
    settings.OPS_METRICS_TOKEN = "m" * 20
    there.stop()
    record("operations.requested", actor="ada")
    sent()

    with_minute = {check.name: check.tone for check in doctor.run(only="collector")}
    there.start()
    sent()
    after = {check.name: check.tone for check in doctor.run(only="collector")}
    text = client.get("/metrics", headers={"Authorization": "Bearer " + "m" * 20}).content.decode()

    assert (with_minute, after) == ({"ledger collector": "bad"}, {"ledger collector": "ok"})
    assert "ops_ledger_collector_behind_entries 0" in text
    assert "ops_ledger_collector_behind_seconds 0" in text


@pytest.mark.usefixtures("one_clock")
def test_an_old_entry_that_nobody_took_is_red(settings: Any) -> None:
    settings.OPS_LEDGER_COLLECTOR = "syslog+tls://127.0.0.1:9"
    with time_machine.travel(timezone.now() - timedelta(seconds=61)):
        record("operations.requested", actor="ada")

    (check,) = doctor.run(only="collector")

    assert check.tone == "bad"
    assert check.found.startswith("1 entries and 61 s behind")


def test_without_a_collector_nothing_is_sent() -> None:
    happen(1)

    assert (stream.send_due(), Stream.objects.count(), stream.state()) == (0, 0, None)
