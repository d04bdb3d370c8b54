"""`sampelit-ops permission_matrix`: prints who may open what, asked of the code. Only with DEMO=1; changes nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from providers.answers import Answer, AnsweringCommand
from sampelit_ops.permission_matrix import addresses, matrix_rows, table


class Command(AnsweringCommand):
    help = "Prints every address × method × role as a Markdown table."

    def answer(self, options: dict[str, Any]) -> Answer:
        if options["json"]:
            return Answer([asdict(row) for row in matrix_rows(addresses())])
        return Answer(None, [table().rstrip()])
