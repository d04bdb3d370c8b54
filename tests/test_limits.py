"""The limits of the house (docs/design.md 10): what a stranger can take in at one look."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
APPS = ["backups", "deployments", "ledger", "migrations_registry", "operations", "providers", "sampelit_ops", "sandbox"]
CODE = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts]

ALL = [path for room in (*APPS, "tests", "bin", "bench") for path in (ROOT / room).rglob("*.py")]
MODULES = {"backups": 10}
FLAT = ("management/commands", "analysis/rules")  # one file a command, one file a rule


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions() -> list[tuple[int, str]]:
    return [
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{name(path)}:{node.name}")
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_no_file_is_longer_than_two_hundred_lines():
    sizes = {name(path): len(path.read_text().splitlines()) for path in CODE}

    assert len(sizes) > 400
    assert {path: size for path, size in sizes.items() if size > 200} == {}


def test_functions_are_short():
    sizes = functions()

    assert [each for each in sizes if each[0] > 40] == []
    assert median(size for size, _ in sizes) <= 7


def test_no_folder_has_more_than_sixteen_modules():
    folders = Counter(name(path.parent) for path in CODE if path.name != "__init__.py")
    full = {
        folder: count
        for folder, count in folders.items()
        if count > MODULES.get(folder, 16) and not folder.endswith(FLAT)
    }

    assert full == {}


def test_the_formatter_is_on_everywhere():
    marks = ("fmt: " + "skip", "fmt: " + "off")

    assert [name(path) for path in ALL if any(mark in path.read_text() for mark in marks)] == []


def test_no_sentence_shows_the_name_of_a_variable_for_its_value():
    """Pieces that stand beside an f-string, without its mark."""
    plain = re.compile(r"\{[a-z_]+\.[a-z_]+")
    texts = [
        (name(path), node.lineno, piece.value)
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.JoinedStr)
        for piece in node.values
        if isinstance(piece, ast.Constant)
    ]

    assert [text for text in texts if plain.search(str(text[2]))] == []
