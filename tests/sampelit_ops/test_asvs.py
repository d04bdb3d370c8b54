"""asvs.md beside this file: every requirement of level 2 has a row, and a row a test that exists or a reason."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (.*?) \| (.*?) ?\| (.*?) ?\|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")
# How many requirements of levels 1 and 2 each section of the standard has (5.0.0, its CSV file).
COUNTED = """
1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 4.2:1
4.3:2 4.4:4 5.1:1 5.2:3 5.3:2 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4 7.1:3 7.2:4 7.3:2
7.4:5 7.5:2 7.6:2 8.1:2 8.2:3 8.3:1 8.4:1 9.1:3 9.2:4 10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2
10.7:3 11.1:2 11.2:3 11.3:3 11.4:4 11.5:1 11.6:1 12.1:3 12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5
14.1:2 14.2:4 14.3:3 15.1:3 15.2:3 15.3:7 16.1:1 16.2:5 16.3:4 16.4:3 16.5:3 17.1:1 17.2:4 17.3:2
"""
SECTIONS = {section: int(count) for section, _, count in (each.partition(":") for each in COUNTED.split())}


def rows() -> list[tuple[str, str, str, str]]:
    return ROW.findall(Path(__file__).with_name("asvs.md").read_text(encoding="utf-8"))


def test_every_requirement_has_one_row() -> None:
    numbers = [number for number, *_ in rows()]
    counted = {section: sum(number.startswith(f"{section}.") for number in numbers) for section in SECTIONS}

    assert counted == SECTIONS
    assert len(numbers) == len(set(numbers)) == 253


def test_a_row_names_a_test_that_exists_or_a_reason() -> None:
    without = [number for number, _, how, shown in rows() if not TEST.findall(shown) and not how]
    missing = [
        (number, path, name)
        for number, _, _, shown in rows()
        for path, name in TEST.findall(shown)
        if not (ROOT / path).is_file() or (name and f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8"))
    ]

    assert without == []
    assert missing == []
