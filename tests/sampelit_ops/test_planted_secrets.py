"""Forty planted secrets × every place where text ends up: rows, ledger, logs, pages, exports, messages: no hit."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from ledger.services import record
from operations import notify
from operations.engine import kinds, specs
from operations.engine.context import StepContext
from operations.engine.request import request
from operations.engine.run import run_operation
from operations.models import Operation, Risk, Task
from providers.errors import ProviderError, Refused
from sampelit_ops.logging import JsonFormatter
from tests import factories, sampling
from tests.browser.pages import pages
from tests.stepping import approve, close

MARK = "Zq9Planted"
VARIABLES = (
    *("AWS_SECRET_ACCESS_KEY", "RENDER_API_KEY", "SUPABASE_ACCESS_TOKEN", "OPS_METRICS_TOKEN", "EMAIL_HOST_PASSWORD"),
    *("BACKUP_SIGNING_KEY", "BACKUP_AGE_IDENTITY", "OPS_SEAL_IDENTITY", "NOTIFY_WEBHOOK_SECRET", "OPS_TOKEN"),
)
SHAPES = (
    *("postgresql://olga:{}@db.example/x", "postgres://u:{}%40x@h:5432/d?sslmode=require", "host=h password={} user=u"),
    *("password='{}'", "AKIA{0:0<16}", "rnd_{}", "sbp_{}", "sb_secret_{}", "whsec_{}", "eyJ{}.eyJ{}.{}", "eyJ{}"),
    *("AGE-SECRET-KEY-1{}", "Bearer {}", "https://hooks.slack.com/services/T0/B0/{}"),
    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
)


def _planted() -> list[str]:
    """Thirty of known shapes (two of each) and ten values of variables."""
    marks = [f"{MARK}{n:02d}xyzw" for n in range(2 * len(SHAPES))]
    shaped = [
        shape.format(*[mark.upper() if shape.startswith("AKIA") else mark] * 3)
        for shape, mark in zip(SHAPES * 2, marks, strict=True)
    ]
    return shaped + [f"{MARK}{name.title()}77" for name in VARIABLES]


PLANTED = _planted()


class Leaky(kinds.OperationKind):
    """A kind that does everything wrong: it speaks of secrets wherever it can."""

    name, label, permission, risk = "tests.leaky", "Leak", "operations.run_rehearsal", Risk.SENSITIVE
    exclusive = None
    parameters = [
        specs.Parameter("note", "Note", required=False),
        specs.Parameter("hidden", "Hidden", False, secret=True),
    ]

    def __init__(self) -> None:
        self.steps = [specs.step("leak", _leak)]

    def clean(self, environment: object, parameters: specs.Parameters) -> specs.Parameters:
        return parameters

    def describe(self, parameters: specs.Parameters) -> str:
        return "leaks"


def _leak(context: StepContext) -> None:
    for secret in PLANTED:
        context.log(f"connecting with {secret} now")
    context.state["seen"] = PLANTED
    context.save_state()
    context.result(seen=PLANTED, nested={"first": PLANTED[0]})
    context.progress(1, 2, note=PLANTED[1])
    context.store_progress()
    raise ProviderError("refused: " + " / ".join(PLANTED))


@pytest.fixture
def leaky(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds.registry.kinds, "tests.leaky", Leaky())
    for name in VARIABLES:
        monkeypatch.setenv(name, f"{MARK}{name.title()}77")


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the configured handler would write."""
    out = io.StringIO()
    configured = next(
        handler for handler in logging.getLogger().handlers if isinstance(handler.formatter, JsonFormatter)
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(configured.formatter)
    for filter_ in configured.filters:
        handler.addFilter(filter_)
    logging.getLogger().addHandler(handler)
    yield out
    logging.getLogger().removeHandler(handler)


def _everything_stored() -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')
            for (text,) in cursor.fetchall():
                yield table, text


def _hits(text: str) -> bool:
    return MARK.lower() in text.lower()


@pytest.mark.django_db(transaction=True)
def test_forty_secrets_reach_nothing(leaky: None, logged: io.StringIO, client: Client) -> None:
    world = factories.world()
    everything, approver = world.everything, User.objects.get(username="approver")
    say = " and ".join(PLANTED)
    operation = request(
        "tests.leaky", by=everything, environment=world.production, parameters={}, reason=say, channel="admin"
    )
    approve(operation, by=approver, comment=say)
    run_operation(operation.pk, "test", frozenset(specs.POOLS), end_process=lambda: None)
    task = Task.objects.create(kind="other", title="x", dedupe_key="leak")
    close(task, by=everything, resolution=say)
    record("demo.leak", actor="olga", subject=PLANTED[0][:200], data={"all": PLANTED})
    notify.enqueue("leak", subject=PLANTED[1], body=say)
    notify.deliver_due()
    logging.getLogger("operations.test").error("failed with %s", say)

    stored = [(table, text[:300]) for table, text in _everything_stored() if _hits(text)]
    client.force_login(everything)
    asked = sampling.share([address for _, url in pages() if (address := url())], 4)
    shown = [address for address in asked if _hits(client.get(address).content.decode(errors="replace"))]
    page = client.get(reverse("admin:operations_operation_change", args=[operation.pk])).content.decode()
    csv = b"".join(client.get(reverse("admin:ledger_export", args=["csv"])).streaming_content).decode()

    assert len(PLANTED) == 40
    assert stored == []
    assert shown == []
    assert not _hits(page)
    assert "[redacted]" in page
    assert not _hits(csv)
    assert not _hits(logged.getvalue())
    assert "[redacted]" in logged.getvalue()
    assert Operation.objects.get(pk=operation.pk).status == "failed"


def test_a_secret_among_plain_parameters_is_refused(db: None, leaky: None) -> None:
    everything, production = factories.person("everything"), factories.environments()

    for secret in PLANTED:
        with pytest.raises(Refused, match="looks like a secret"):
            request("tests.leaky", by=everything, environment=production, parameters={"note": f"with {secret}"})

    assert not Operation.objects.exists()
    assert not [text for _, text in _everything_stored() if _hits(text)]
