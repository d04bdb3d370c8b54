"""Judge SQL files as the registry would apply them, on all cores, without Django and without a database.

In: paths and options. Out: text, a line of JSON a file, or SARIF on stdout; 0, 1, 2 or 3 as `analyze_sql` leaves with.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NoReturn

from migrations_registry.analysis.analyse import ASSUMED_VERSION, analyse
from migrations_registry.analysis.command.report import as_json, as_text, exit_code
from migrations_registry.analysis.command.sarif import document, results

UNREADABLE = 3
_WORTH_A_PROCESS = 200  # files: starting and feeding another process costs as much as judging these
Judged = tuple[Any, int, str]  # what to print, exit code, complaint


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Usage errors leave with 3, because 2 means opaque here."""
        self.print_usage(sys.stderr)
        self.exit(UNREADABLE, f"{self.prog}: error: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Analyse every file, also after one that cannot be read."""
    given = _parser().parse_args(argv)
    outputs, codes = [], [0]
    for output, code, complaint in _judge_all(given):
        codes.append(code)
        if complaint:
            sys.stderr.write(f"{complaint}\n")
        elif given.format == "sarif":
            outputs += output
        else:
            sys.stdout.write(f"{output}\n")
    if given.format == "sarif":
        sys.stdout.write(f"{document(outputs)}\n")
    return max(codes, key=(0, 1, 2, UNREADABLE).index)


def _parser() -> ArgumentParser:
    parser = _Parser(prog="python -m migrations_registry.analysis", description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE", help="an SQL file; - reads standard input")
    parser.add_argument("--format", choices=("text", "json", "sarif"), default="text")
    parser.add_argument(
        "--pg-version", type=_major, default=ASSUMED_VERSION, help="the target's PostgreSQL version (17)"
    )
    parser.add_argument("--autocommit", action="store_true", help="as psql runs it: each statement by itself")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes for many files (all cores)")
    return parser


def _major(text: str) -> int:
    return int(text.partition(".")[0])


def _judge_all(given: Namespace) -> Iterator[Judged]:
    judge = partial(_judge, format_=given.format, version=given.pg_version, as_runner=not given.autocommit)
    jobs = min(given.jobs, len(given.files) // _WORTH_A_PROCESS + 1)
    if jobs < 2:
        yield from map(judge, given.files)
        return
    from concurrent.futures import ProcessPoolExecutor  # not for one file: it is a tenth of the start

    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(judge, given.files, chunksize=64)


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _judge(path: str, format_: str, version: int, as_runner: bool) -> Judged:
    try:
        data = sys.stdin.buffer.read() if path == "-" else _bytes(path)
    except OSError as error:
        return None, UNREADABLE, f"{path}: cannot be read ({error.strerror}); nothing is known about it."
    analysis = analyse(data, pg_version=version, as_runner=as_runner)
    written = {"text": as_text, "json": as_json, "sarif": results}[format_]
    return written(path, analysis), exit_code(analysis), ""
