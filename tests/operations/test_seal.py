"""Secret parameters: never in clear in a row, bound by the digest, opened in a step, erased at the end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pyrage import x25519

from operations.engine import kinds, specs
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.engine.sealing import erase_old
from operations.models import Operation, Risk
from providers.errors import Refused
from tests.stepping import retry

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "rnd_planted-secret-value"


class Vault(kinds.OperationKind):
    name, label, permission, risk = "test.vault", "Vault", "operations.run_rehearsal", Risk.ROUTINE
    parameters = [specs.Parameter("name"), specs.Parameter("value", secret=True)]
    seen: list[str] = []

    def __init__(self) -> None:
        self.steps = [specs.step("use", lambda context: self.seen.append(context.secret("value")))]


@pytest.fixture
def vault(monkeypatch, settings):
    settings.OPS_SEAL_IDENTITY = str(x25519.Identity.generate())
    kind = Vault()
    kind.seen = []
    monkeypatch.setitem(kinds.registry.kinds, kind.name, kind)
    return kind


def ask_to_seal(operator, production, value=SECRET):
    return request("test.vault", by=operator, environment=production, parameters={"name": "A", "value": value})


def test_a_secret_reaches_only_the_step(vault, operator, production):
    operation = ask_to_seal(operator, production)
    stored = str(Operation.objects.values().get())
    assert SECRET not in stored
    assert operation.parameters["value"].startswith("sealed:")
    assert operation.content_sha256 != ask_to_seal(operator, production, "other").content_sha256

    run_operation(operation.pk, "test", frozenset(specs.POOLS), end_process=lambda: None)

    assert vault.seen == [SECRET]
    operation.refresh_from_db()
    assert (operation.status, operation.sealed) == ("succeeded", "")


@pytest.mark.usefixtures("one_clock")
def test_it_is_erased_after_a_day_and_the_step_then_says_so(vault, operator, production, time_machine):
    operation = ask_to_seal(operator, production)
    assert erase_old() == 0
    assert Operation.objects.get().sealed

    time_machine.move_to(timezone.now() + timedelta(hours=25))
    assert erase_old() == 1
    assert erase_old() == 0  # no tick writes rows whose secret is gone
    run_operation(operation.pk, "test", frozenset(specs.POOLS), end_process=lambda: None)

    operation.refresh_from_db()
    assert operation.status == "failed"
    assert "request it again" in operation.error
    with pytest.raises(Refused, match="give it again"):
        retry(operation, by=operator)


def test_without_a_key_nothing_is_requested(vault, operator, production, settings):
    settings.OPS_SEAL_IDENTITY = ""
    with pytest.raises(Refused, match="Nothing was requested"):
        ask_to_seal(operator, production)
    assert not Operation.objects.exists()
