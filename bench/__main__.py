"""`python -m bench [--rows N] [--rounds N] [--only KEY…]`: run the cases, print a table, write bench-results.json."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench import analysis, measures, peers, restoring, services
from bench.by_hand import by_hand
from bench.data import bench_database, peer_environment
from bench.ours import Took, Variant, directory, run, run_in_parts
from providers.storage.factory import open_store

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench-results.json"
Found = measures.Ratio | dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=[], help="keys of bench-results.json")
    parser.add_argument("--home", type=Path, default=ROOT / ".data" / "bench")
    options = parser.parse_args()
    options.home.mkdir(parents=True, exist_ok=True)
    if "memory" in options.only or not options.only:
        with tempfile.TemporaryDirectory(dir=options.home) as home:
            Path(home).chmod(0o711)  # the user PostgreSQL runs as passes through
            write(services.memory(Path(home), min(options.rows, 200_000)), options.rows)
    measure({"command_line": lambda: measures.command_line(options.rounds)}, options)
    with tempfile.TemporaryDirectory(dir=fast_disk()) as work:
        measure(analysis.cases(Path(work), options.rounds), options)
    if not options.only or {*options.only} - {"memory", "command_line", *analysis.KEYS}:
        against_peers(options)
    show()


def measure(cases: Mapping[str, Callable[[], Found]], options: argparse.Namespace) -> None:
    for name, case in cases.items():
        if not options.only or name in options.only:
            write({name: case()}, options.rows)


def against_peers(options: argparse.Namespace) -> None:
    with bench_database(options.home, options.rows) as found, tempfile.TemporaryDirectory(dir=fast_disk()) as home:
        (server, dsns), work, rounds = found, Path(home), options.rounds
        cases = file_cases(dsns, work, rounds, options.rows) | restoring.cases(server, dsns, work, rounds)
        measure(cases | s3_cases(dsns, work, rounds), options)


def fast_disk() -> str | None:
    """Memory where there is some, so that neither side waits for the disk (ours syncs every object, peers never)."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


def file_cases(dsns: dict[str, str], work: Path, rounds: int, rows: int) -> dict[str, Callable[[], Found]]:
    """Everything that goes to a local directory."""
    dsn, environment = dsns["export"], peer_environment(dsns["export"])
    store = open_store(f"file://{directory(work, 'store')}")
    out = directory(work, "peer")

    def against(variant: Variant, peer: Callable[[], Took]) -> Callable[[], Found]:
        return lambda: measures.interleaved(lambda: run(dsn, store, variant), peer, rounds)

    psql3 = lambda: peers.psql_zstd(environment, out)  # noqa: E731
    psql1 = lambda: peers.psql_zstd(environment, out, 1)  # noqa: E731
    dump = lambda: peers.pg_dump_zstd1(environment, out)  # noqa: E731
    recipients, identities = _keys()
    proven = Variant("binary", 2, evidence=True, proof=True, recipients=recipients, identities=identities)
    return {
        "export_file_vs_psql_zstd": against(Variant(), psql3),
        "export_file_parallel_vs_psql_zstd": against(Variant(connections=2), psql3),
        "export_file_parallel_vs_pg_dump_zstd1": against(Variant(connections=2), dump),
        "export_csv_vs_psql_zstd": against(Variant("csv", 2), psql3),
        "export_csv_vs_psql_zstd1_equal_level": against(Variant("csv", 2), psql1),
        "export_file_parallel_with_evidence_vs_psql_zstd": against(Variant(connections=2, evidence=True), psql3),
        "export_file_parallel_proven_encrypted_vs_psql_zstd": against(proven, psql3),
        "proven_encrypted_vs_by_hand": lambda: measures.interleaved(
            lambda: run_in_parts(dsn, store, proven), lambda: by_hand(dsn, out, recipients, identities[0]), rounds
        ),
        "chain_rows_per_s": lambda: measures.chain_rows_per_second(dsn, rows, rounds),
        "export_peak_rss_mb": lambda: measures.peak_memory(dsn, directory(work, "memory"), 1),
        "export_parallel_peak_rss_mb": lambda: measures.peak_memory(dsn, directory(work, "memory2"), 2),
    }


def s3_cases(dsns: dict[str, str], work: Path, rounds: int) -> dict[str, Callable[[], Found]]:
    return {"export_s3_vs_pg_dump": lambda: _s3(dsns, work, rounds)}


def _s3(dsns: dict[str, str], work: Path, rounds: int) -> Found:
    """Both sides against one local S3 server; its own work is part of both times."""
    from tests.seaweed import ACCESS_KEY, BUCKET, SECRET_KEY, s3_server

    os.environ.update(AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY)
    environment = peer_environment(dsns["export"])
    with s3_server(directory(work, "seaweed")) as endpoint:
        store = open_store(f"s3://{BUCKET}/ours?endpoint={endpoint}&region=us-east-1")
        return measures.interleaved(
            lambda: run(dsns["export"], store, Variant(connections=2)),
            lambda: peers.pg_dump_to_s3(environment, endpoint, BUCKET),
            rounds,
        )


def _keys() -> tuple[tuple[str, ...], tuple[str, ...]]:
    from pyrage import x25519

    held = [x25519.Identity.generate() for _ in range(2)]
    return tuple(str(key.to_public()) for key in held), (str(held[0]),)


def write(results: Mapping[str, Found], rows: int) -> None:
    """Merge into bench-results.json, so that `--only` and an interruption keep the other rows."""
    known = read() | measures.as_json(results) | {"rows": rows}
    RESULTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def read() -> dict[str, Any]:
    return dict(json.loads(RESULTS.read_text())) if RESULTS.exists() else {}


def show() -> None:
    known = read()
    for name, measure in sorted(known.items()):
        if isinstance(measure, dict) and "ratio" in measure:
            sizes = f"{measure['ours_bytes'] / 1e6:.0f} MB vs {measure['peer_bytes'] / 1e6:.0f} MB"
            times = f"{measure['ours']:7.2f} s vs {measure['peer']:7.2f} s"
            cpu = f"client CPU {measure['ours_cpu']} s vs {measure['peer_cpu']} s"
            print(f"{name:52} {measure['ratio']:5.2f} x  {times}  {sizes}  {cpu}")
            for side in ("ours", "peer"):
                if parts := measure.get(f"{side}_parts"):
                    print(f"  {side}: " + ", ".join(f"{part} {seconds} s" for part, seconds in parts.items()))
        elif isinstance(measure, dict) and "plan_mb" in measure:
            print(
                f"{name:52} {measure['idle_mb']} MB idle, {measure['value']} MB at most, plan {measure['plan_mb']} MB"
            )
        elif isinstance(measure, dict):
            print(f"{name:52} {measure['value']}")


if __name__ == "__main__":
    main()
