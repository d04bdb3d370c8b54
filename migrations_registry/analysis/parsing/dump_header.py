"""What stands at the top of files that pg_dump or `supabase db pull` wrote: settings of the session that wrote them.

In: a file's statements. Out: which of them switch limits off, so that the runner leaves them out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrations_registry.analysis.parsing.nodes import value
from migrations_registry.analysis.parsing.parser import Raw, Unparsed

LIMITS = {"lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"}
_MARKS = {"standard_conforming_strings", "check_function_bodies"}  # both, in every dump; hand-written files set neither


def switched_off(pieces: Sequence[Raw | Unparsed]) -> frozenset[int]:
    """The places of the header's SET … = 0; none where the file has no such header."""
    header = dict(_settings(pieces))
    if not {str(raw.node.get("name")) for raw in header.values()} >= _MARKS:
        return frozenset()
    return frozenset(
        place
        for place, raw in header.items()
        if raw.node.get("name") in LIMITS and [value(each) for each in raw.node.get("args", [])] == [0]
    )


def _settings(pieces: Sequence[Raw | Unparsed]) -> Iterator[tuple[int, Raw]]:
    """SET and SELECT set_config, up to the first other statement."""
    for place, piece in enumerate(pieces):
        if not isinstance(piece, Raw) or piece.kind not in ("VariableSetStmt", "SelectStmt"):
            return
        if piece.kind == "VariableSetStmt":
            yield place, piece
        elif "fromClause" in piece.node or "set_config" not in str(piece.node.get("targetList")):
            return
