"""bin/verify_backup.py as a module, for tests that look inside it; others run the file alone."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / "bin" / "verify_backup.py"
_spec = importlib.util.spec_from_file_location("verify_backup", SCRIPT)
assert _spec is not None
assert _spec.loader is not None
verify_backup = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(verify_backup)
