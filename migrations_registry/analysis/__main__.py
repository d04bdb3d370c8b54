"""`python -m migrations_registry.analysis FILE…`: see command/main.py."""

from __future__ import annotations

import sys

from migrations_registry.analysis.command.main import main

if __name__ == "__main__":
    sys.exit(main())
