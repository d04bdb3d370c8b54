"""Whether this machine has the disk and the memory for a restore drill. In: bytes of rows. Out: sentences, or Refused.

Asked before an export by a process that could prove it, before each proof, and by the doctor.
"""

from __future__ import annotations

import tempfile

from providers import machine
from providers.errors import ProviderError

DISK_PER_RAW_BYTE, DISK_FLOOR = 2.5, 200_000_000  # rows, their indexes, some log
COPIES_OF_A_VALUE = (
    4  # the driver's buffers, the object that becomes of it; measured in tests/backups/test_large_values.py
)
MEMORY_BYTES = 300_000_000  # the throwaway server's buffers and sorts, one segment in this process; whatever the rows


def disk_bytes(raw_bytes: int) -> int:
    return int(raw_bytes * DISK_PER_RAW_BYTE) + DISK_FLOOR


def problems(raw_bytes: int) -> list[str]:
    """What is missing, with the size that is needed and how to get it."""
    shortages = []
    needed, free = disk_bytes(raw_bytes), machine.free_disk()
    if free < needed:
        shortages.append(
            f"A drill needs {needed / 1e9:.1f} GB under {tempfile.gettempdir()}, {free / 1e9:.1f} GB are free. "
            "Give the proving worker a larger disk, or set TMPDIR."
        )
    memory = machine.free_memory()
    if memory is not None and memory < MEMORY_BYTES:
        shortages.append(
            f"A drill needs {MEMORY_BYTES / 1e6:.0f} MB of memory, {memory / 1e6:.0f} MB are free. "
            "Give the proving worker a larger plan, or let it run fewer things."
        )
    return shortages


def value_problems(size: int, table: str) -> list[str]:
    """Whether a value of this size can be copied: it is in memory whole, several times."""
    memory, needed = machine.free_memory(), size * COPIES_OF_A_VALUE
    if memory is None or memory >= needed:
        return []
    return [
        f"{table} has a value of {size / 1e6:.0f} MB: copying it needs {needed / 1e6:.0f} MB of memory, "
        f"{memory / 1e6:.0f} MB are free. Give the worker a larger plan, or keep the value as a large object."
    ]


def refuse_without(raw_bytes: int, nothing: str, longest: int = 0) -> None:
    """`nothing`: what therefore did not happen. Raises ProviderError; it is not tried again by itself."""
    shortages = [*problems(raw_bytes), *value_problems(longest, "The run")]
    if shortages:
        raise ProviderError(f"{nothing} {' '.join(shortages)}")
