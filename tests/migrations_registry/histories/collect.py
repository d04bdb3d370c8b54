"""Public migration files in their projects' own order: `python -m tests.migrations_registry.histories.collect D`.

In: packages of PyPI, npm and Debian, downloaded by their own clients and unpacked, never installed. Out: files
D/<project>/<number>_<name>.sql; OPS_TEST_HISTORIES_IN=D makes test_histories.py walk them.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

Texts = Iterable[tuple[str, str]]
ROLE = re.compile(r'(?:\bto|\bfrom|\bgroup|\bauthorization)\s+(?:group\s+)?"([a-z]+-[a-z-]+)"', re.I)  # made elsewhere
SCHEMA_LIST = re.compile(
    r"^schema base directory = (?P<base>\S+)\nschema = \$schema\$\n(?P<names>.*?)^\$schema\$", re.M | re.S
)


def named(folder: Path, pattern: str) -> Texts:
    """In the order of the names, numbers as numbers."""
    found = sorted(folder.rglob(pattern), key=lambda path: _natural(str(path.relative_to(folder))))
    return [(str(path.relative_to(folder)), _text(path)) for path in found]


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


def litellm(root: Path) -> Texts:
    return named(next(root.rglob("migrations")), "migration.sql")


def procrastinate(root: Path) -> Texts:
    return named(root / "procrastinate/sql/migrations", "*.sql")


def synapse(root: Path) -> Texts:
    schema, parts = root / "synapse/storage/schema", ("common", "main", "state")
    for part in parts:
        yield from named(schema / part / "full_schemas/72", "full.sql*")
    deltas = [(version, part) for part in parts for version in (schema / part / "delta").glob("*")]
    for version, part in sorted(deltas, key=lambda each: (int(each[0].name), each[1])):
        for name, text in named(version, "*.sql*") if int(version.name) > 72 else ():
            if not name.endswith(".sqlite"):
                yield f"{version.name}_{part}_{name}", text


def graphile(root: Path) -> Texts:
    yield "schema", "CREATE SCHEMA graphile_worker"
    for name, text in named(root / "package/sql", "*.sql"):
        yield name, text.replace(":GRAPHILE_WORKER_SCHEMA", "graphile_worker")


def pgflow(root: Path) -> Texts:
    return named(root / "package/dist/supabase/migrations", "*.sql")


def openqa(root: Path) -> Texts:
    scripts = root / "usr/share/openqa/dbicdh/PostgreSQL"
    first = min(int(path.name) for path in (scripts / "deploy").iterdir())
    return [*named(scripts / f"deploy/{first}", "*.sql"), *named(scripts / "upgrade", "*.sql")]


def gnumed(root: Path) -> Texts:
    home = root / "var/lib/gnumed/server/bootstrap"
    updates = sorted(home.glob("update_db-*.conf"), key=lambda path: _natural(path.name))
    first = [home / f"bootstrap-{name}.conf" for name in ("local_first", "monolithic_core", "de", "es", "ca", "au")]
    for conf in (*first, home / "bootstrap-local_last.conf", *updates):
        for match in SCHEMA_LIST.finditer(_text(conf)):
            for name in match["names"].split():
                path = (home / match["base"] / name).resolve()
                if path.is_file():
                    yield f"{path.parent.parent.name}_{name}", _text(path)


def upgraded(home: str, base: str, folder: str) -> Callable[[Path], Texts]:
    """The newest schema, then every upgrade that led to it."""

    def texts(root: Path) -> Texts:
        yield base, _text(root / home / base)
        yield from named(root / home / folder, "*.sql")

    return texts


def ledgersmb(root: Path) -> Texts:
    """The base, then the changes and the modules, each in the order that its own list says."""
    home = root / "usr/share/ledgersmb/sql"
    yield "base", _text(home / "Pg-database.sql")
    for part in ("changes", "modules"):
        for line in _text(home / part / "LOADORDER").splitlines():
            name = line.split("#")[0].strip().lstrip("!")
            if name and (home / part / name).is_file():
                yield f"{part}_{name}", _text(home / part / name)


def sql_ledger(root: Path) -> Texts:
    home = root / "usr/share/sql-ledger/sql"
    yield from ((name, _text(home / f"Pg-{name}.sql")) for name in ("tables", "indices", "functions"))
    yield from named(home, "Pg-upgrade-*.sql")


def mediawiki(root: Path) -> Texts:
    home = root / "usr/share/mediawiki"
    yield from ((name, _text(home / f"maintenance/postgres/{name}.sql")) for name in ("tables", "tables-generated"))
    for part in (
        "maintenance/postgres/archives",
        *sorted(str(each.relative_to(home)) for each in _of_extensions(home)),
    ):
        yield from named(home / part, "*.sql")


def _of_extensions(home: Path) -> Iterable[Path]:
    return (each for each in home.glob("extensions-core/*/*/postgres") if each.is_dir())


def request_tracker(root: Path) -> Texts:
    home = root / "usr/share/request-tracker5/etc"
    yield "schema", _text(home / "schema.Pg")
    yield from named(home / "upgrade", "schema.Pg")


DEBIAN, NPM, PYPI = ("apt-get", "download"), ("npm", "pack"), (sys.executable, "-m", "pip", "download", "--no-deps")
DIRECTOR = "usr/share/icingaweb2/modules/director/schema"
PROJECTS = {
    "litellm": (PYPI, "litellm-proxy-extras", litellm),
    "procrastinate": (PYPI, "procrastinate", procrastinate),
    "synapse": (PYPI, "matrix-synapse", synapse),
    "graphile-worker": (NPM, "graphile-worker", graphile),
    "pgflow": (NPM, "@pgflow/core", pgflow),
    "openqa": (DEBIAN, "openqa", openqa),
    "gnumed": (DEBIAN, "gnumed-server", gnumed),
    "director": (DEBIAN, "icingaweb2-module-director", upgraded(DIRECTOR, "pgsql.sql", "pgsql-migrations")),
    "tt-rss": (DEBIAN, "tt-rss", upgraded("usr/share/tt-rss/schema", "ttrss_schema_pgsql.sql", "versions/pgsql")),
    "davical": (DEBIAN, "davical", upgraded("usr/share/davical/dba", "davical.sql", "patches")),
    "ledgersmb": (DEBIAN, "ledgersmb", ledgersmb),
    "sql-ledger": (DEBIAN, "sql-ledger", sql_ledger),
    "mediawiki": (DEBIAN, "mediawiki", mediawiki),
    "request-tracker": (DEBIAN, "request-tracker5", request_tracker),
    "icinga": (DEBIAN, "icinga2-ido-pgsql", upgraded("usr/share/icinga2-ido-pgsql/schema", "pgsql.sql", "upgrade")),
    "icingaweb": (DEBIAN, "icingaweb2", upgraded("usr/share/icingaweb2/schema", "pgsql.schema.sql", "pgsql-upgrades")),
    "roundcube": (DEBIAN, "roundcube-core", upgraded("usr/share/roundcube/SQL", "postgres.initial.sql", "postgres")),
}


def unpacked(client: tuple[str, ...], package: str, into: Path) -> Path:
    into.mkdir(parents=True)
    subprocess.run([*client, package], cwd=into, check=True, stdout=subprocess.DEVNULL)
    (archive,) = into.iterdir()
    tools = {".deb": ["dpkg", "-x", str(archive), "."], ".tgz": ["tar", "xzf", str(archive)]}
    tool = tools.get(archive.suffix, [sys.executable, "-m", "zipfile", "-e", str(archive), "."])
    subprocess.run(tool, cwd=into, check=True)
    return into


def collect(target: Path) -> dict[str, int]:
    """How many files of each project."""
    counts = {}
    for name, (client, package, texts) in PROJECTS.items():
        root = unpacked(client, package, target / ".packages" / name)
        (target / name).mkdir()
        named_roles: set[str] = set()
        for number, (path, text) in enumerate(texts(root), 1):
            plain = re.sub(r"\W+", "_", path.removesuffix(".sql"))[-60:]
            (target / name / f"{number:05d}_{plain}.sql").write_bytes(text.encode("utf-8", "surrogateescape"))
            named_roles.update(ROLE.findall(text))
            counts[name] = number
        (target / name / ".roles").write_text("\n".join(sorted(named_roles)), encoding="utf-8")
    return counts


if __name__ == "__main__":
    sys.stdout.write("".join(f"{name}: {count}\n" for name, count in collect(Path(sys.argv[1]).resolve()).items()))
