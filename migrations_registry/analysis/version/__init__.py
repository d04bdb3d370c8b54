"""Under which name the rules judge: a digest of what the sources of the analysis say, and which digests are equal."""

from __future__ import annotations

from migrations_registry.analysis.version.equivalence import ruleset

__all__ = ["ruleset"]
