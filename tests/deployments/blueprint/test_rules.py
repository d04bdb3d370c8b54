"""Render's rules for a blueprint: every faulty file is found at its line, no valid one is, and no value is repeated."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from deployments.blueprint.rules.check import check
from providers.errors import Refused
from tests.deployments.blueprint.faulty import DOUBTFUL, FAULTY, VARS
from tests.deployments.blueprint.valid import VALID


@pytest.mark.parametrize(("file", "line", "word"), FAULTY, ids=[f"{n}-{word}" for n, (_, _, word) in enumerate(FAULTY)])
def test_a_fault_is_found_at_its_line(file: str, line: int, word: str) -> None:
    faults = [fault for fault in check(file.encode()) if fault.tone == "bad"]

    assert any(fault.line == line and word in str(fault) for fault in faults), list(map(str, faults))
    assert len(faults) <= 3
    assert all(fault.then and fault.write.endswith((".", ".`", "…")) for fault in faults)


@pytest.mark.parametrize(("file", "line", "word"), DOUBTFUL)
def test_what_works_only_for_somebody_is_said_and_is_no_error(file: str, line: int, word: str) -> None:
    faults = check(file.encode())

    assert [(fault.line, fault.tone) for fault in faults] == [(line, "warn")]
    assert word in str(faults[0])


@pytest.mark.parametrize("name", VALID)
def test_nothing_is_said_against_a_valid_file(name: str) -> None:
    assert list(map(str, check(VALID[name].encode()))) == []


def test_our_own_file_is_valid() -> None:
    assert list(map(str, check((Path(settings.BASE_DIR) / "render.yaml").read_bytes()))) == []


def test_two_faults_of_a_file_are_both_found() -> None:
    files = [file for file, _, _ in FAULTY[:12]]
    wrong = files[0] + "".join(line for file in files[1:] for line in file.splitlines(True)[6:])

    assert {word for _, _, word in FAULTY[:12] if word in " ".join(map(str, check(wrong.encode())))} == {
        word for _, _, word in FAULTY[:12]
    }


@pytest.mark.parametrize("entry", ["value: {s: hunter2}", "value: ${hunter2}", "value: hunter2\n    sync: false"])
def test_a_variables_value_is_never_repeated(entry: str) -> None:
    faults = check(f"{VARS}  - key: PASSWORD\n    {entry}\n".encode())

    assert faults
    assert "hunter2" not in " ".join(map(str, faults))


@pytest.mark.parametrize("content", [b"a: [", b"a: &a [*a]\nb: " + b"[" * 90, b"x" * 200_000, b"\x00"])
def test_what_cannot_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match="Nothing was read"):
        check(content)


@pytest.mark.parametrize("values", [b"a,", b"{},", b"[],"])
def test_a_file_of_very_many_values_is_refused_before_they_are_built(values: bytes) -> None:
    with pytest.raises(Refused, match="more than 8,000 values"):
        check(b"services: [" + values * 20_000 + b"a]")
