"""The name under which the rules judge: approvals bind it, and another name voids them (docs/design.md 4).

In: the sources of the analysis. Out: their digest, or the earlier name of rules that judge the same.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from migrations_registry.analysis.version.source_digest import source_digest

ANALYSIS = Path(__file__).parents[1]
PACKAGE = "migrations_registry.analysis"
# Digests of sources that judge as earlier ones did: requests that were approved under the earlier name stay approved.
# Add the new digest here only when the change cannot alter what any file is told; say why. Else leave it out.
SAME_JUDGEMENT: dict[str, str] = {
    # The splitter passes a run of characters that begin nothing at once: 200,000 random texts were cut the same.
    "1e828583a54c7d5c": "d33ff55cfdb6c917",
    # Comments that begin in one another thousands of times are refused: a file that is told this has another plan,
    # which voids its own approvals.
    "6d7f6d73d02e8eca": "d33ff55cfdb6c917",
    # Trees are copied and compared, and findings written, by fewer calls: 11,493 files were told the same to the byte.
    "618d7d12046676bd": "d33ff55cfdb6c917",
    "c21f889588a6d5cd": "d33ff55cfdb6c917",
}


@cache
def ruleset() -> str:
    """16 hex digits; read once per process."""
    digest = source_digest(ANALYSIS, PACKAGE, skip="version")
    return SAME_JUDGEMENT.get(digest, digest)
