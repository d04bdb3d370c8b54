#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL it reads .data/demo.env, which `make run` writes (docs/design.md 11)."""

from __future__ import annotations

import os
import sys

from providers.secret_environment import conceal


def main() -> None:
    conceal()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sampelit_ops.settings")
    from sampelit_ops.command_line import execute

    execute(sys.argv)


if __name__ == "__main__":
    main()
