"""What a file says between its statements: lines for psql, and where the way back begins."""

from __future__ import annotations

import re

from migrations_registry.analysis.model import CONVENTION, EXECUTION, Finding, Statement
from migrations_registry.analysis.parsing.splitter import without_psql_lines
from migrations_registry.analysis.rule_registry import rule

RESTRICT = rule(
    "MP-RESTRICT",
    CONVENTION,
    "lines that only tell psql how to print, or to stop at an error (\\set ON_ERROR_STOP 1, \\echo, \\restrict), "
    "are left out: the runner stops at every error anyway",
    "Nothing to do.",
    bad=("\\restrict a1B2\nSELECT 1;\n\\unrestrict a1B2\n", "\\set ON_ERROR_STOP 1\nSELECT 1"),
    good=("SELECT 1",),
)
WAY_BACK = rule(
    "MT-WAY-BACK",
    EXECUTION,
    "here begins what takes the migration back ({marker}): the registry applies the whole file, so it would undo at "
    "once what stands above",
    "Keep only the way forward; the way back is a file of its own.",
    bad=("-- +goose Up\nCREATE TABLE x (a int);\n\n-- +goose Down\n-- back\nDROP TABLE x;",),
    good=("-- +goose Up\nCREATE TABLE x (a int);\n-- +goose Down\n", "SELECT '\n-- migrate:down\n', 1"),
)
_MARKER = re.compile(
    rb"^[ \t]*(--[ \t]*(?:\+goose[ \t]+down|migrate:down|\+mi(?:g|c)rate[ \t]+down|down[ \t]+migration|//[ \t]*@undo)\b"
    rb"|---- create above / drop below ----)",
    re.IGNORECASE | re.MULTILINE,
)


def note_left_out(data: bytes, statements: list[Statement]) -> None:
    """The lines that the parser took away are told with the first statement."""
    if statements and without_psql_lines(data) != data:
        first = statements[0]
        note = Finding(RESTRICT.id, CONVENTION, None, False, False, RESTRICT.message, RESTRICT.safe_form)
        statements[0] = first._replace(findings=(*first.findings, note))


def note_way_back(data: bytes, statements: list[Statement]) -> None:
    """The first statement behind a marker of the tools that keep both ways in one file."""
    markers = [(found.start(), found[1].decode()) for found in _MARKER.finditer(data)]
    for place, marker in markers[:1] if statements else ():
        behind = next((index for index, each in enumerate(statements) if each.start > place), None)
        if behind is not None and (behind == 0 or statements[behind - 1].end <= place):
            message = WAY_BACK.message.format(marker=marker.strip())
            note = Finding(WAY_BACK.id, EXECUTION, None, False, False, message, WAY_BACK.safe_form)
            statements[behind] = statements[behind]._replace(findings=(*statements[behind].findings, note))
