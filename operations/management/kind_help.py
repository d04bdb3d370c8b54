"""`ops request KIND --help`: the parameters of that kind; without a kind, argparse's own help."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from operations.engine.kinds import registry
from operations.management import printed
from operations.models import Environment


class KindHelp(argparse.Action):
    """Prints and ends, as argparse's own does; `--environment` before it lists what there is to choose from."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *_: Any) -> None:
        kind = registry.kinds.get(getattr(namespace, "kind", None) or "")
        if kind is None:
            parser.print_help()
        else:
            slug = getattr(namespace, "environment", None)
            place = Environment.objects.filter(slug=slug).first() if slug else None
            parser._print_message("\n".join(printed.parameters(kind, place)) + "\n", sys.stdout)
        parser.exit()
