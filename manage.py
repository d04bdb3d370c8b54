#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL it reads .data/demo.env, which `make run` writes (DESIGN 11)."""

from __future__ import annotations

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sampelit_ops.settings")
    from sampelit_ops.demo.environment import portal_database

    with portal_database(sys.argv):
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
