"""A token for git's own host, out of sight: neither in its arguments nor in its variables, where /proc shows both.

In: a source. Out: settings that name a credential helper, and the pipe from which that helper reads the token once.
Source: gitcredentials(7), Custom Helpers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from providers.git.source import Source


@contextmanager
def handed_to(source: Source) -> Iterator[tuple[tuple[str, ...], list[int]]]:
    """git sends it where the source's host asks for it (401), and to no other host."""
    if not source.token:
        yield (), []
        return
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(f"username=x-access-token\npassword={source.token}\n".encode())
        place = urlsplit(source.url)
        helper = f'!f() {{ test "$1" = get && cat /dev/fd/{reading}; }}; f'
        yield (f"credential.{place.scheme}://{place.netloc}.helper={helper}",), [reading]
    finally:
        os.close(reading)
