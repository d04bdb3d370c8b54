"""Which files ask this machine's clock, and why each may: nothing that is stored or decided goes by it, neither in
our code nor in the libraries that guard the sign-in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from axes.models import AccessAttempt, AccessLog
from django.apps import apps
from django.contrib.auth.models import User
from django.core.signing import BadSignature, TimestampSigner
from django.db import models
from django.db.models.functions import Now
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP
from pytest_django import DjangoAssertNumQueries

from operations.factors import devices
from operations.models import Authenticator, Notification
from operations.periodic.clock import database_time
from operations.periodic.signing import DatedSigner
from providers.errors import Refused
from sampelit_ops.signin.invitations import welcome_tokens
from tests.sampelit_ops.signin.codes import PASSWORD

NEAR = timedelta(minutes=2)
LOGIN = "/admin/login/"
SAID = "says when something happened, and decides nothing"
SHOWN = "a page's or a line's words, range or choice, which decide nothing"
OUTSIDE = "held against another machine's clock, which no database of ours knows"
MEASURED = "this machine's clock is what is measured"
ASKED_HERE = {
    SAID: """backups/proof/prove.py ledger/backfill.py operations/engine/context.py operations/models/ulid.py
        operations/web/form_key.py operations/worker/messages.py sampelit_ops/demo/accidents/causes.py
        sampelit_ops/demo/history.py sampelit_ops/demo/users.py""",
    SHOWN: """backups/web/calendar.py backups/web/evidence_page.py backups/web/trends.py
        deployments/web/delivery.py deployments/web/deployment_page.py deployments/web/environment_page.py
        deployments/web/logs.py ledger/admin.py operations/admin/filters.py operations/management/commands/ops.py
        operations/models/operation.py operations/web/formatting.py sampelit_ops/recover/options.py
        sampelit_ops/recover/page.py sampelit_ops/site/home_panels.py""",
    OUTSIDE: """providers/http/rate_limits.py providers/storage/local.py providers/storage/s3.py""",
    MEASURED: """backups/retention/facts.py operations/doctor/portal.py operations/periodic/clock.py
        providers/postgres/preflight.py providers/storage/probe_s3.py""",
    "both ends are this machine's own": "deployments/web/remote.py providers/embedded_postgres/own_server.py",
}
CLOCK = re.compile(
    r"(?:timezone|datetime)\.(?:now|utcnow|today|localtime|localdate)|date\.today|time\.(?:time|time_ns|gmtime)|auto_now(?:_add)?"
)
NAMELESS = {"django.utils.timezone": {"now", "localtime", "localdate"}, "time": {"time", "time_ns", "gmtime"}}
ROOMS = ["providers", "ledger", "operations", "backups", "deployments", "migrations_registry", "sampelit_ops"]


@pytest.fixture(params=[100, -100], ids=["ahead", "behind"])
def wrong(request: pytest.FixtureRequest) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(hours=request.param))


def test_no_other_file_asks_this_machines_clock() -> None:
    """What is stored, or held against a stored time, goes by `database_time` or `database_now`; nobody passes the
    machine's clock on either, as the default of a column."""
    files = [path for room in ROOMS for path in Path(room).rglob("*.py") if "migrations" not in path.parts]
    asking = {path.as_posix() for path in files if any(map(tells_time, ast.walk(ast.parse(path.read_text()))))}

    assert asking == {name for names in ASKED_HERE.values() for name in names.split()}


def tells_time(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return bool({name.name for name in node.names} & NAMELESS.get(node.module or "", set()))
    named = (
        node.arg or ""
        if isinstance(node, ast.keyword)
        else ast.unparse(node)
        if isinstance(node, ast.Attribute)
        else ""
    )
    return CLOCK.fullmatch(named) is not None


@pytest.mark.parametrize(
    "code",
    [
        "at = models.DateTimeField(default=timezone.now)",
        "at = models.DateTimeField(auto_now_add=True)",
        "at = models.DateTimeField(auto_now=True)",
        "from django.utils.timezone import now",
        "from time import time",
        "row.at = datetime.now(UTC)",
        "stamp = time.time_ns()",
        "today = timezone.localdate()",
    ],
)
def test_each_way_of_asking_it_is_known(code: str) -> None:
    assert any(map(tells_time, ast.walk(ast.parse(code))))


def moments() -> Iterator[models.Field]:  # type: ignore[type-arg]
    """The columns of ours that are filled by themselves with a time."""
    for model in apps.get_models():
        if model.__module__.split(".")[0] in ROOMS:
            yield from (
                field
                for field in model._meta.local_fields
                if isinstance(field, models.DateTimeField)
                and (field.auto_now or field.auto_now_add or field.has_default() or field.has_db_default())
            )


def test_every_column_is_filled_by_the_database_itself() -> None:
    """Neither by this machine's clock nor by a question for each new row."""
    filled = {str(field): field.db_default for field in moments() if field.get_default() is not None}
    filled |= {str(field): None for field in moments() if field.auto_now or field.auto_now_add}

    assert len(filled) > 40
    assert set(filled.values()) == {Now()}


@pytest.mark.django_db
def test_many_rows_are_filled_at_the_cost_of_one_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        rows = Notification.objects.bulk_create(Notification(dedupe_key=str(n), channel="log") for n in range(20))

    assert all(abs(row.created_at - database_time()) < NEAR for row in rows)


def attempt(name: str, password: str) -> int:
    return Client().post(LOGIN, {"username": name, "password": password}).status_code


@pytest.mark.django_db
def test_a_machine_with_a_wrong_clock_neither_lifts_a_lock_nor_forgets_failures(
    operator: User, wrong: time_machine.travel
) -> None:
    operator.set_password(PASSWORD)
    operator.save()
    name = operator.username
    with wrong:
        failed = [attempt(name, "x") for _ in range(4)]
    locked = [attempt(name, "x")]
    with wrong:
        locked.append(attempt(name, PASSWORD))

    assert (failed, set(locked)) == ([200] * 4, {attempt(name, PASSWORD)})
    assert locked[0] not in (200, 302)
    assert AccessAttempt.objects.count() == 1
    assert abs(AccessAttempt.objects.get().attempt_time - database_time()) < NEAR


@pytest.mark.django_db
def test_a_sign_in_is_remembered_at_the_databases_time(operator: User, wrong: time_machine.travel) -> None:
    operator.set_password(PASSWORD)
    operator.save()
    with wrong:
        Client().login(request=HttpRequest(), username=operator.username, password=PASSWORD)

    assert [abs(row.attempt_time - database_time()) < NEAR for row in AccessLog.objects.all()] == [True]


@pytest.mark.django_db
def test_the_pause_after_wrong_codes_lasts_as_long_as_said(operator: User, wrong: time_machine.travel) -> None:
    devices.enrol(operator)
    Authenticator.objects.update(throttling_failure_count=9, throttling_failure_timestamp=database_time())
    with wrong:
        with pytest.raises(Refused, match="Too many"):
            devices.verify(operator, "123456")
        Authenticator.objects.update(throttling_failure_timestamp=database_time() - timedelta(hours=1))
        with pytest.raises(Refused, match="wrong"):
            devices.verify(operator, "123456")

    assert abs(Authenticator.objects.get().throttling_failure_timestamp - database_time()) < NEAR


def code_of(user: User, at: datetime) -> str:
    device = Authenticator.objects.get(user=user)
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = at.timestamp()
    return f"{totp.token():06d}"


@pytest.mark.django_db
def test_a_code_of_now_counts_and_one_of_the_machines_time_does_not(operator: User, wrong: time_machine.travel) -> None:
    devices.enrol(operator)
    now = database_time()
    with wrong, pytest.raises(Refused, match="wrong"):
        devices.verify(operator, code_of(operator, timezone.now()))
    Authenticator.objects.update(throttling_failure_count=0)
    with wrong:
        devices.verify(operator, code_of(operator, now))

    assert abs(Authenticator.objects.get().last_used_at - now) < NEAR  # type: ignore[operator]
    with pytest.raises(Refused, match="used before"):
        devices.verify(operator, code_of(operator, now))


@pytest.mark.django_db
def test_what_is_signed_counts_as_long_as_said(wrong: time_machine.travel) -> None:
    text = DatedSigner(salt="page").sign("shown")
    with wrong:
        assert DatedSigner(salt="page").unsign(text, max_age=60) == "shown"
        theirs = TimestampSigner(salt="page").sign("shown")
        assert DatedSigner(salt="page").unsign(DatedSigner(salt="page").sign("shown"), max_age=60) == "shown"
    for other, why in [(theirs, "counts for"), (text + "x", "does not match")]:
        with pytest.raises(BadSignature, match=why):
            DatedSigner(salt="page").unsign(other, max_age=60)


@pytest.mark.django_db
def test_an_invitation_lives_as_long_as_said(operator: User, wrong: time_machine.travel) -> None:
    token = welcome_tokens.make_token(operator)
    with wrong:
        assert welcome_tokens.check_token(operator, token)
        assert welcome_tokens.make_token(operator)[:5] == welcome_tokens.make_token(operator)[:5]
        late = welcome_tokens.make_token(operator)

    assert welcome_tokens.check_token(operator, late)
