"""Every parser that meets foreign text has a limit: deep, large, repeated or broken input is refused clearly, at once.

The table names each parser of the code base; a test finds those that are missing from it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from backups.archive import signed_json
from backups.archive.signed_json import ManifestError
from backups.policy_spec import PolicyError, read_toml
from deployments.blueprint.parse import parse as parse_yaml
from migrations_registry.analysis import analyse
from providers import bounded_json
from providers.errors import Refused
from tests.offline import verify_backup

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("providers", "ledger", "operations", "deployments", "backups", "migrations_registry", "sampelit_ops", "bin")
MOST_SECONDS = 1.0
DEEP = 100_000


def _yaml(text: bytes) -> object:
    return parse_yaml(text, str)


def _sql(text: bytes) -> object:
    """A file that cannot be understood is opaque, which counts as destructive: that is its refusal."""
    analysis = analyse(text)
    if analysis.risk in ("opaque", "destructive"):
        raise Refused("opaque")
    return analysis


def _csv(text: bytes) -> object:
    return list(verify_backup.copy_rows(b'"a"\n' + text, ["a"]))


def _sealed(text: bytes) -> object:
    body, reason = verify_backup.unsealed(text, [])
    if body is None:
        raise ValueError(reason)
    return body


JSON = {
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "opened only": b"[" * 1_000_000,
    "a long number": b"9" * 1_000_000,
    "half a character": b'"\\ud800"',
    "NUL": b'"\\u0000"',
    "no UTF-8": b'"\xff"',
    "quotes": b'"' * 1_000_000,
}
BILLION = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 900)) for n in range(9)
)
YAML = {
    "aliases of aliases": BILLION,
    "merges": b"a: &a {x: 1}\nb:\n" + b"  - {<<: [*a, *a, *a, *a, *a, *a, *a, *a]}\n" * 2_000,
    "deep lists": b"[" * DEEP,
    "deep maps": b"".join(b" " * n + b"a:\n" for n in range(600)),
    "deep dashes": b"- " * 3_000 + b"x",
    "a python object": b"!!python/object/apply:os.system ['id']",
    "a recursive alias": b"&a [*a]",
    "too large": b"# x\n" * 300_000,
}
TOML = {
    "deep arrays": b"a = " + b"[" * DEEP + b"]" * DEEP,
    "deep tables": b"a = " + b"{b = " * 5_000 + b"1" + b"}" * 5_000,
    "long keys": b".".join([b"a"] * 100_000) + b" = 1",
    "long numbers": b"a = " + b"9" * 100_000,
    "large": b"a = 1 # x\n" * 100_000,
}
SQL = {
    "parentheses": b"SELECT " + b"(" * DEEP + b"1" + b")" * DEEP,
    "subqueries": b"SELECT (" * 20_000 + b"1" + b")" * 20_000,
    "an array": b"SELECT " + b"ARRAY[" * 50_000 + b"1" + b"]" * 50_000,
    "cases": b"SELECT " + b"CASE WHEN true THEN " * 20_000 + b"1" + b" END" * 20_000,
    "negations": b"SELECT " + b"NOT " * 100_000 + b"true",
    "minus": b"SELECT " + b"- " * 100_000 + b"1",
    "joins": b"SELECT * FROM " + b"(" * 30_000 + b"a" + b")" * 30_000,
    "set operations": b"SELECT 1 UNION (" * 20_000 + b"SELECT 1" + b")" * 20_000,
    "a NUL": b"SELECT '\0'",
    "no UTF-8": b"SELECT '\xff'",
    "a body in a body": b"DO $$ BEGIN " + b"IF true THEN " * 20_000 + b"END IF; " * 20_000 + b"END $$",
}
CSV = {"quotes": b'"' * 1_000_001, "open": b'"' + b"a" * 1_000_000, "junk": b"a" * 1_000_000}
PARSERS: dict[str, tuple[Callable[[bytes], object], dict[str, bytes]]] = {
    "JSON": (bounded_json.loads, JSON),
    "a signed document": (lambda text: signed_json.unsealed(text, None), JSON),
    "a signed document, offline": (_sealed, JSON),
    "YAML": (_yaml, YAML),
    "TOML": (lambda text: read_toml(text.decode()), TOML),
    "SQL": (_sql, SQL),
    "CSV of COPY, offline": (_csv, CSV),
}
CASES = [(parser, case) for parser, (_, cases) in PARSERS.items() for case in cases]
# Where a library's parser is called, and what bounds it there.
CALLS = {
    "backups/policy_spec.py tomllib": "the table's TOML",
    "bin/audit.py json": "what pip-audit printed for a developer",
    "bin/verify_backup.py json": "the table's offline document",
    "deployments/blueprint/parse.py yaml": "the table's YAML",
    "deployments/functions/source_archive.py zipfile": "read in a confined child",
    "ledger/collector_lines.py json": "a file that an admin names, line by line",
    "ledger/models.py json": "our own canonical text, held by a digest",
    "migrations_registry/analysis/parsing/depth.py json": "what the grammar printed of the table's SQL",
    "migrations_registry/sources/reader.py tarfile": "read in a confined child",
    "migrations_registry/sources/reader.py zipfile": "read in a confined child",
    "operations/engine/sealing.py json": "our own text, opened with our own key",
    "operations/models/factor.py json": "our own text, opened with our own key",
    "operations/worker/messages.py json": "a hundred characters at most",
    "providers/bounded_json.py json": "the table's JSON",
    "providers/secret_environment.py json": "a pipe from our own parent",
    "sampelit_ops/outsiders/attestation.py json": "our own ledger's text, held by a digest",
}
_CALL = re.compile(
    r"\b(json|tomllib)\.loads?\(|\b(yaml)\.(?:safe_)?load\(|\b(tarfile)\.open\(|\b(zipfile)\.ZipFile\(\w*io"
)


@pytest.mark.parametrize(("parser", "case"), CASES)
def test_hostile_text_is_refused_at_once(parser: str, case: str) -> None:
    read, cases = PARSERS[parser]
    began = time.thread_time()

    with pytest.raises((ValueError, Refused, ManifestError, PolicyError)) as refusal:
        read(cases[case])

    assert time.thread_time() - began < MOST_SECONDS
    assert str(refusal.value)


def test_every_call_of_a_parser_is_known() -> None:
    calls = {
        f"{path.relative_to(ROOT).as_posix()} {next(filter(None, match.groups()))}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for match in _CALL.finditer(path.read_text())
    }

    assert calls == set(CALLS)
