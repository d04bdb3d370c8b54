"""Foreign JSON is limited in depth and holds no text that a database refuses."""

from __future__ import annotations

import time

import pytest

from providers import bounded_json


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"a":' * 100 + "1" + "}" * 100, '"\\u0000"', '"\\ud800"', '{"\\udfff": 1}', "\0", '"\\\\\\u0000"'],
)
def test_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        bounded_json.loads(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"' + "[" * 500 + '"', "[" * 500),
        ("[1, [2]]", [1, [2]]),
        ('"\\ud83d\\ude00"', "😀"),
        ('"a \\\\" ', "a \\"),
        (b'{"a": null}', {"a": None}),
    ],
)
def test_read(text: str | bytes, value: object) -> None:
    assert bounded_json.loads(text) == value


@pytest.mark.sampled(2)
@pytest.mark.parametrize("unit", ["[", '"', "{}", '\\"', "a", '"\\'])
def test_two_megabytes_cost_little(unit: str) -> None:
    began = time.thread_time()

    with pytest.raises(ValueError, match=r"."):
        bounded_json.loads(unit * (2_000_000 // len(unit)))

    assert time.thread_time() - began < 1
