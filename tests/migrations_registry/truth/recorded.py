"""The recorded tables: `statements.tsv`, a text and what it costs on each of VERSIONS; `pairs.tsv`, pairs of types."""

from __future__ import annotations

from pathlib import Path

from tests.migrations_registry.truth import pairs
from tests.other_servers import VERSIONS

HERE = Path(__file__).parent
_LINES = [line.split("\t") for line in (HERE / "statements.tsv").read_text().splitlines()]
RECORDED = {text: dict(zip(VERSIONS, costs, strict=True)) for text, *costs in _LINES}
PAIRS = pairs.read((HERE / "pairs.tsv").read_text())
