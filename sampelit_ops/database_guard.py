"""Commands never reach the product's database, and what goes wrong is told in one sentence.

In: a command's body. Out: its end, or SystemExit with what happened, what was not changed and what to do.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, OperationalError, ProgrammingError

from providers.errors import ProviderError, Refused
from providers.redact import redact

INTERRUPTED = 128 + signal.SIGINT
KEPT = "What was committed before stays, everything else was rolled back."


def refuse_foreign_database() -> None:
    """Raise SystemExit where DATABASE_URL leads to the product's database, before anything is written there."""
    import django

    django.setup()
    from sampelit_ops.checks import refuse_unsafe_start

    refuse_unsafe_start()


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """Turn what a person can mend into one sentence and exit code 1; anything else stays a traceback."""
    try:
        yield
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"Interrupted. {KEPT} A requested operation goes on: `ops list` shows it.", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:  # `| head` has read enough; nothing may be written at the interpreter's end either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except (ProviderError, Refused, ImproperlyConfigured) as error:
        raise SystemExit(redact(str(error))) from None
    except OperationalError as error:
        raise SystemExit(
            f"The portal's own database does not serve us: {_first_line(error)} {KEPT} "
            "Check DATABASE_URL and that its server runs and accepts us, then repeat."
        ) from None
    except ProgrammingError as error:
        if type(error.__cause__).__name__ not in ("UndefinedTable", "UndefinedColumn"):
            raise
        raise SystemExit(
            f"The portal's database has another schema than this version: {_first_line(error)} {KEPT} "
            "Run `sampelit-ops migrate`, or check that DATABASE_URL is the portal's own."
        ) from None


def _first_line(error: DatabaseError) -> str:
    line = redact(str(error)).strip().partition("\n")[0]
    return line if line.endswith(".") else f"{line}."
