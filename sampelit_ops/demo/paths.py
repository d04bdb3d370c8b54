"""Where the demo keeps its data."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
DATA = Path(os.environ.get("OPS_DATA_DIR") or REPOSITORY / ".data").absolute()
DEMO_ENV = DATA / "demo.env"
