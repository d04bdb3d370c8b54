"""What SQL does to a live PostgreSQL, told from its text: bytes in, statements with findings and a risk out.

Pure: no Django, no network, no database. Live facts come in as plain data (`facts.CatalogFacts`).
"""

from __future__ import annotations

from migrations_registry.analysis.analyse import analyse
from migrations_registry.analysis.version import ruleset

__all__ = ["analyse", "ruleset"]
