"""OPS_TEST_FAULTS random faults on each kind of store, in an export or its proof: once, twice or for ever.

Whatever happened, nothing unfinished is listed as proven, a proof under a fault is never green where bytes differ, and
once the store is well again the run is proven, or red because its manifest was spoilt.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from backups.archive.signed_json import ManifestError
from backups.export.exporter import ExportPlan, export
from backups.proof.prove import prove
from operations.models.ulid import new_ulid
from providers.errors import ProviderError
from providers.storage.base import Store
from providers.storage.factory import open_store
from tests import sampling
from tests.backups.conftest import AUDIT
from tests.backups.test_faults import FAULTS, Faulty, believed
from tests.backups.test_faults_on_s3 import moto as moto

SPOILS = ("short write", "flipped bit")
LASTING = (1, 2, 10_000)
CASES = range(sampling.size("FAULTS"))


def walk(dsn: str, store: Store, drill, number: int) -> None:
    chance = random.Random(f"{sampling.SEED} {number}")
    fault, lasts, at = chance.choice(FAULTS), chance.choice(LASTING), chance.randint(1, 14)
    if chance.random() < 0.5:
        _in_an_export(dsn, store, drill, Faulty(store, fault, at, lasts))
    else:
        _in_a_proof(dsn, store, drill, Faulty(store, fault, at, lasts))


def _in_an_export(dsn: str, store: Store, drill, faulty: Faulty) -> None:
    run = new_ulid()
    for where, fence in ((faulty, 1), (store, 2)):
        try:
            export(AUDIT, ExportPlan(run, dsn, where, fence=fence))
        except (ProviderError, ManifestError):
            assert fence == 1 or faulty.fault in SPOILS
    statuses = believed(store, drill)
    assert set(statuses.values()) <= {"proven", "red"}
    assert faulty.fault in SPOILS or statuses == {run: "proven"}


def _in_a_proof(dsn: str, store: Store, drill, faulty: Faulty) -> None:
    manifest = export(AUDIT, ExportPlan(new_ulid(), dsn, store))
    try:
        verdict = prove(manifest, faulty, server=drill)
    except ProviderError:
        assert faulty.fault in ("error", *SPOILS)
    else:
        assert verdict.status == "proven" or faulty.fault in SPOILS
        assert faulty.lasts < 10_000 or faulty.fault not in SPOILS or verdict.status == "failed" or _never_met(faulty)
    assert prove(manifest, store, server=drill).status == "proven"


def _never_met(faulty: Faulty) -> bool:
    return faulty.calls < faulty.at


@pytest.mark.parametrize("number", CASES)
def test_on_a_directory(sampelit, tmp_path: Path, drill, number: int) -> None:
    walk(sampelit["export"], open_store(f"file://{tmp_path}/store"), drill, number)


@pytest.mark.parametrize("number", CASES)
def test_on_moto(sampelit, moto: Store, drill, number: int) -> None:
    walk(sampelit["export"], moto, drill, number)


@pytest.mark.s3
@pytest.mark.parametrize("number", CASES)
def test_on_seaweedfs(sampelit, s3_url: str, drill, number: int) -> None:
    walk(sampelit["export"], open_store(s3_url), drill, number)
