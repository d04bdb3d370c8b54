"""Second factors of an old portal, whose keys and codes lay in clear, open after the upgrade and lie sealed."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django_otp.oath import TOTP
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from operations.factors import devices, rotation
from operations.models import Authenticator
from operations.models.factor_key import is_sealed
from providers.errors import Refused
from tests import portal_database
from tests.upgrade.test_upgrade import DUMP, PortalIs

pytestmark = pytest.mark.slow

KEY, CODES = bytes(range(20)), ["abcd2345", "wxyz6789"]
IN_CLEAR = """
    INSERT INTO otp_totp_totpdevice
        (name, confirmed, key, step, t0, digits, tolerance, drift, last_t, user_id, throttling_failure_count)
    SELECT 'phone', true, %(key)s, 30, 0, 6, 1, 0, -1, min(id), 0 FROM auth_user;
    INSERT INTO otp_static_staticdevice (name, confirmed, user_id, throttling_failure_count)
    SELECT 'recovery', true, min(id), 0 FROM auth_user;
    INSERT INTO otp_static_statictoken (token, device_id)
    SELECT unnest(%(codes)s::text[]), max(id) FROM otp_static_staticdevice
"""


@pytest.fixture
def old_portal(django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Of its dump, with an authenticator app and recovery codes as that portal kept them; not migrated yet."""
    name = f"factors_{uuid4().hex[:12]}"
    portal_database.server.create_database(name)
    with psycopg.connect(portal_database.server.dsn(name), autocommit=True) as loading:
        loading.execute(DUMP.read_bytes())
        with psycopg.ClientCursor(loading) as cursor:
            cursor.execute(IN_CLEAR, {"key": KEY.hex(), "codes": CODES})
    with django_db_blocker.unblock(), PortalIs(name):
        yield name
    portal_database.server.drop_database(name)


def stored() -> str:
    """Everything that the database holds of second factors."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(row::text, ' ') FROM (SELECT key FROM otp_totp_totpdevice) AS row")
        keys = cursor.fetchone()[0]
        cursor.execute("SELECT coalesce(string_agg(token, ' '), '') FROM otp_static_statictoken")
        return keys + cursor.fetchone()[0]


def test_they_open_and_lie_sealed(old_portal: str) -> None:
    assert KEY.hex() in stored()
    assert CODES[0] in stored()

    call_command("migrate", verbosity=0)

    person = User.objects.order_by("pk").first()
    assert person is not None
    device = Authenticator.objects.get(user=person)
    assert (device.bin_key, is_sealed(device.key), device.name) == (KEY, True, "phone")
    assert not {KEY.hex(), *CODES} & set(stored().replace("(", " ").replace(")", " ").split())
    assert devices.verify(person, f"{TOTP(KEY).token():06d}").name == "phone"
    assert devices.verify(person, CODES[0]).name == "recovery codes"
    assert devices.remaining_recovery_codes(person) == 1
    assert rotation.in_clear() == 0


def test_without_a_key_it_stays_as_it_was(old_portal: str, settings: Settings) -> None:
    settings.FACTOR_KEY = ""

    with pytest.raises(Refused, match="Nothing was changed"):
        call_command("migrate", verbosity=0)

    assert KEY.hex() in stored()
    assert CODES[0] in stored()
