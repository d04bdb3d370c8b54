"""Which statements switch limits off that the runner sets itself, so that it leaves them out.

In: a file's statements. Out: their places: all of them at the top of what pg_dump or `supabase db pull` wrote,
elsewhere those that bound how long somebody waits; how long a statement may work is the file's own business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrations_registry.analysis.parsing.nodes import value
from migrations_registry.analysis.parsing.parser import Raw, Unparsed

LIMITS = frozenset(["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"])
_MARKS = {"standard_conforming_strings", "check_function_bodies"}  # both, in every dump; hand-written files set neither


def switched_off(pieces: Sequence[Raw | Unparsed], *, by_runner: bool) -> frozenset[int]:
    """The places of SET … = 0: of a dump's header, and where the runner applies the file, of every waiting limit."""
    header = dict(_settings(pieces))
    is_dump = {str(raw.node.get("name")) for raw in header.values()} >= _MARKS
    everywhere = LIMITS - {"statement_timeout"} if by_runner else frozenset()
    return frozenset(
        place
        for place, piece in enumerate(pieces)
        if isinstance(piece, Raw)
        and piece.kind == "VariableSetStmt"
        and piece.node.get("name") in (LIMITS if is_dump and place in header else everywhere)
        and str([value(each) for each in piece.node.get("args", [])]) in ("[0]", "['0']")
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
