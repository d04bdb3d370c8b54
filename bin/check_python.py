"""Whether this interpreter can run the portal. In: nothing. Out: exit 1 and what is missing. Any Python 3 reads it."""

import importlib.util
import shutil
import sys

OLDEST, NEWEST = (3, 11), (3, 14)
missing = []
if not OLDEST <= sys.version_info[:2] <= NEWEST:
    found = ".".join(str(part) for part in sys.version_info[:3])
    missing.append(
        f"Python 3.11 to 3.14 (this is {found} at {sys.executable}); name another as in: make run PYTHON=python3.12"
    )
if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
    missing.append("Python's venv and ensurepip (Debian: apt-get install python3-venv)")
if shutil.which("git") is None:
    missing.append("git")
if missing:
    sys.exit("Missing: " + "; ".join(missing) + ". Nothing was installed.")
