"""What is recorded can be read: each code that the source hands to `record` has a sentence of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from ledger import registry

APPS = ("backups", "deployments", "ledger", "migrations_registry", "operations", "sampelit_ops")
RECORDERS = {"record", "_record", "record_about"}
CODE = re.compile(r"[a-z_]+(?:\.[a-z_]+)+")


def _recorded() -> Iterator[tuple[str, str]]:
    """(code, file) of every code that stands as text in a call of a recorder."""
    for path in (path for app in APPS for path in (Path(settings.BASE_DIR) / app).rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and _called(call) in RECORDERS:
                texts = [constant.value for constant in ast.walk(call) if isinstance(constant, ast.Constant)]
                yield from ((text, path.name) for text in texts if isinstance(text, str) and CODE.fullmatch(text))


def _called(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def test_every_recorded_code_has_a_sentence() -> None:
    recorded = dict(_recorded())

    assert len(recorded) > 40
    assert {code: file for code, file in recorded.items() if code not in registry.codes()} == {}
