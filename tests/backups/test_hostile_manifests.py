"""Manifests that somebody rewrote, with the signing key in hand or without: portal and offline verifier refuse alike,
with a sentence, before a target is asked for. OPS_TEST_MANIPULATIONS random ones, and those of each kind."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backups.archive.manifest import Manifest, manifest_key
from backups.archive.reader import load
from backups.archive.signed_json import ManifestError, encode, sealed
from backups.progress import SILENT
from backups.restore.into_empty import Target, check_objects, restore
from providers.errors import ProviderError, Refused
from providers.storage.base import Store
from providers.storage.factory import open_store
from tests import sampling
from tests.backups.conftest import exported
from tests.backups.test_offline import SIGNER, VERIFIER
from tests.offline import SCRIPT, verify_backup

N = sampling.size("MANIPULATIONS")
ODD: list[Any] = [
    None,
    [],
    {},
    [[]],
    "",
    "x\0y",
    "../../etc/passwd",
    "/etc/passwd",
    "x" * 70_000,
    10**400,
    -1,
    True,
]
SHAPE = Path(__file__).resolve().parents[2] / "backups" / "archive" / "shape.py"
Body = dict[str, Any]


@pytest.fixture(scope="module")
def written(sampelit: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Manifest]:
    store = open_store(f"file://{tmp_path_factory.mktemp('hostile')}/store")
    return store, exported(sampelit["export"], store, signer=SIGNER)


@pytest.fixture
def body(written: tuple[Store, Manifest]) -> Iterator[Body]:
    """A copy to change; the store is whole again afterwards."""
    store, manifest = written
    yield copy.deepcopy(verify_backup.parsed(encode(manifest, SIGNER))["body"])
    _put(store, manifest.run, encode(manifest, SIGNER))


def _put(store: Store, run: str, data: bytes) -> None:
    path = Path(store.url.removeprefix("file://")) / manifest_key(run)
    path.write_bytes(data)


def by_the_portal(store: Store, run: str) -> str:
    """Why it refuses; only these errors are sentences."""
    try:
        check_objects(load(store, run, VERIFIER), store, (), SILENT)
    except (ManifestError, Refused, ProviderError) as error:
        return str(error) or "refused"
    return ""


def offline(store: Store, run: str) -> list[str]:
    checked = verify_backup.Run(Path(store.url[7:]), Path(store.url[7:]) / manifest_key(run), None)
    checked.verify([VERIFIER.public])
    return list(checked.problems)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path in a body."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield (*at, name)
        yield from places(item, (*at, name))


def manipulate(body: Body, rng: random.Random) -> str:
    """One change at a random place; what it was."""
    where = rng.choice(list(places(body)))
    parent = body
    for name in where[:-1]:
        parent = parent[name]
    how = rng.choice(["odd", "odd", "gone", "twice", "swapped", "number"])
    if how == "gone":
        del parent[where[-1]]
    elif how == "twice" and isinstance(parent, list):
        parent.append(copy.deepcopy(parent[where[-1]]))
    elif how == "swapped":
        parent[where[-1]] = copy.deepcopy(rng.choice(list(body.values())))
    elif how == "number" and type(parent[where[-1]]) is int:
        parent[where[-1]] += rng.choice([-1, 1, 7])
    else:
        parent[where[-1]] = rng.choice(ODD)
    return f"{how} at {where}"


@pytest.mark.parametrize("number", range(N))
def test_what_the_portal_refuses_the_verifier_refuses(number: int, written: tuple[Store, Manifest], body: Body) -> None:
    store, manifest = written
    told = manipulate(body, random.Random(sampling.SEED * 1000 + number))

    for signer in (SIGNER, None):
        _put(store, manifest.run, sealed(body, signer))
        portal, verifier = by_the_portal(store, manifest.run), offline(store, manifest.run)

        assert bool(verifier) >= bool(portal), (told, portal)
        assert signer or portal, told
        assert len(portal) < 3000


def segments(body: Body) -> list[Body]:
    return [part for table in body["tables"] for part in table["segments"]]


def trail(body: Body) -> Body:
    return next(table for table in body["tables"] if table["name"] == "algorithm_audit_trail")


DERIVABLE: dict[str, Callable[[Body], Any]] = {
    "a table dropped": lambda body: body["tables"].pop(0),
    "a table twice": lambda body: body["tables"].append(body["tables"][0]),
    "a segment twice": lambda body: trail(body)["segments"].append(trail(body)["segments"][0]),
    "no segment": lambda body: trail(body)["segments"].clear() or trail(body).update(chains=None),
    "another table's name": lambda body: body["tables"][0].update(name="other"),
    "a key of another run": lambda body: segments(body)[0].update(
        key="runs/01JDQ0000000000000000000ZZ/1/000-a/0.csv.zst"
    ),
    "a key of another table": lambda body: body["tables"][0]["segments"][0].update(key=segments(body)[-1]["key"]),
    "more rows": lambda body: trail(body)["segments"][0].update(rows=10**6),
    "no chains": lambda body: trail(body).update(chains=None),
    "a chain less": lambda body: trail(body)["chains"].pop(),
    "a chain longer": lambda body: trail(body)["chains"][0].update(rows=10**6),
    "said to be encrypted": lambda body: segments(body)[0].update(encrypted=True),
    "other recipients": lambda body: body["recipients"].append("age1other"),
    "no archive of the schema": lambda body: body["objects"].pop(0),
    "a column twice": lambda body: trail(body)["columns"].append(trail(body)["columns"][0]),
    "no definition": lambda body: body["statements"].clear(),
    "a size less": lambda body: segments(body)[0].update(raw_bytes=1),
    "a field more": lambda body: body.update(extra=1),
}


@pytest.mark.parametrize("kind", DERIVABLE)
def test_what_contradicts_itself_is_refused_although_it_is_signed(kind: str, written, body: Body) -> None:
    store, manifest = written
    DERIVABLE[kind](body)
    _put(store, manifest.run, sealed(body, SIGNER))

    assert by_the_portal(store, manifest.run)
    assert offline(store, manifest.run)


def test_what_was_written_is_refused_by_neither(written, body: Body) -> None:
    store, manifest = written

    assert (by_the_portal(store, manifest.run), offline(store, manifest.run)) == ("", [])


STATEMENTS = {
    "table": lambda text: f"{text}; DROP SCHEMA public CASCADE",
    "function": lambda text: text.replace("$$", "$$ -- other", 1),
    "view": lambda text: "CREATE VIEW public.v AS SELECT pg_sleep(1)",
}


@pytest.mark.parametrize("kind", STATEMENTS)
def test_a_statement_that_pg_dump_did_not_write_is_refused_before_a_write(
    kind: str, written, body: Body, empty_database: str
) -> None:
    store, manifest = written
    statement = next(item for item in body["statements"] if item["kind"] == kind)
    statement["sql"] = STATEMENTS[kind](statement["sql"])
    _put(store, manifest.run, sealed(body, SIGNER))

    with pytest.raises(Refused, match=r"is not what pg_dump wrote"):
        restore(load(store, manifest.run, VERIFIER), store, (), Target(empty_database))

    with psycopg.connect(empty_database) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def link_out(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def circle(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("put", [pipe, link_out, circle, Path.mkdir], ids=["pipe", "link", "circle", "directory"])
def test_what_is_no_file_of_the_store_is_not_read(put: Callable[[Path], None], written, body: Body) -> None:
    store, manifest = written
    path = Path(store.url[7:]) / manifest.segments[0].key
    whole = path.read_bytes()
    path.unlink()
    put(path)

    portal, verifier = by_the_portal(store, manifest.run), offline(store, manifest.run)

    path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    path.write_bytes(whole)
    assert portal
    assert verifier


def test_both_hold_the_same_text() -> None:
    text = SHAPE.read_text()

    assert text[text.index("Shape = Any") :].strip() in SCRIPT.read_text()
