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
SAME_JUDGEMENT = {
    # Until commit 6c99367 the digest covered file names and bytes; no rule was touched when that ended.
    "49d8beddd9c53d5c": "ad3f36ecaff42456",
    # Locals and two private parameters have other names, a constant that nothing read is gone, two expressions are
    # written over several lines: every sample and every file of the corpus gets the same findings and the same plan.
    "c9e72092b7d00452": "ad3f36ecaff42456",
    # What is judged is also kept in a list, and bodies of trigger functions can be read: they were looked at only where
    # a statement calls one by name, which the server refuses. Every sample and the corpus get the same findings.
    "9b9a484f2687f879": "ad3f36ecaff42456",
    # Two patterns became linear: the target of an assignment is the text before the first "=", as before; the base of a
    # type's name holds no "[]", which stood at its end before. Every sample and the corpus get the same findings.
    "13ff3c07a8f1af8d": "ad3f36ecaff42456",
    # A policy lowers no destructive, opaque or security finding any more. The policy's version is bound beside the
    # rules, and where it lowered one, the risk is compared at the claim: it differs, so that the request ends.
    "ee70ce81afda1093": "ad3f36ecaff42456",
}


@cache
def ruleset() -> str:
    """16 hex digits; read once per process."""
    digest = source_digest(ANALYSIS, PACKAGE, skip="version")
    return SAME_JUDGEMENT.get(digest, digest)
