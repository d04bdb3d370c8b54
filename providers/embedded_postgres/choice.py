"""Which of the servers here a source is copied with and drilled on: by its major version, then by its extensions.

In: what the source says of itself. Out: a major version of `install.majors`, or the sentence that refuses it.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from providers.embedded_postgres.install import bin_dir, majors
from providers.errors import Refused


def fitting(source: int, extensions: Collection[str] = ()) -> int:
    """Of those at least as new as `source` (a major version) the oldest that has the most of the extensions: an older
    pg_dump refuses the server, and what it writes loads into no older one. Raises Refused where there is none."""
    new_enough = [major for major in sorted(majors()) if major >= source]
    if not new_enough:
        raise Refused(too_new(source))
    return max(new_enough, key=lambda major: len(offered(major).intersection(extensions)))


def too_new(source: int) -> str:
    """Why nothing here copies or drills a source of this major version; empty where something does."""
    newest = max(majors(), default=0)
    if source <= newest:
        return ""
    return (
        f"The server is PostgreSQL {source}, and the newest pg_dump and drill server here are {newest}. "
        "Install a release of this portal whose PostgreSQL is at least as new as the server."
    )


@cache
def offered(major: int) -> frozenset[str]:
    """Names of the extensions that the wheel of this major version has."""
    return frozenset(path.stem for path in (bin_dir(major).parent / "share").rglob("extension/*.control"))
