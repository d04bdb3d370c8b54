"""libpg_query as postgast ships it, without the rest of that package: half of the start of a process would be protobuf.

Out: `lib`, with the signatures that postgast declares.
"""

from __future__ import annotations

import sys
from ctypes import CDLL
from importlib.machinery import PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

NAME = "postgast.native"


def _load() -> CDLL:
    if NAME in sys.modules:
        loaded: CDLL = sys.modules[NAME].lib
        return loaded
    package = PathFinder.find_spec("postgast")
    if package is None or package.origin is None:
        raise ImportError("postgast is not installed: SQL cannot be read. Install the locked requirements.")
    spec = spec_from_file_location("_postgast_native", Path(package.origin).with_name("native.py"))
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - a path to a .py file has both
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    library: CDLL = module.lib
    return library


lib = _load()
