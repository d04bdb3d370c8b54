"""What the database holds of second factors: nothing that makes a code without FACTOR_KEY, or that can be planted."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django_otp.plugins.otp_totp.models import default_key
from pytest_django.fixtures import Settings

from operations import doctor
from operations.factors import devices, rotation
from operations.models import Authenticator, RecoveryCodes
from operations.models.factor_key import is_current, is_sealed, opened, sealed
from providers import redact
from providers.errors import Refused
from tests.sampelit_ops.signin.codes import code_of

OTHER = "another key, just as long as the first one " * 2


@pytest.fixture
def vera(db: None) -> User:
    return User.objects.create_user("vera", is_staff=True)


def _stored(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT json_agg(t) FROM {table} t")
        return json.dumps(cursor.fetchone())


def _reseal() -> tuple[int, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("reseal_factors", stdout=out, stderr=err)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue() + err.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


def _tones() -> dict[str, str]:
    return {check.name: check.tone for only in ("factor_key", "factors_at_rest") for check in doctor.run(only=only)}


def test_the_key_of_an_app_is_sealed(vera: User) -> None:
    key = bytes(range(20))
    device = devices.enrol(vera, key=key)

    assert key.hex() not in _stored("otp_totp_totpdevice")
    assert is_sealed(device.key)
    assert len(device.key) <= 80
    assert Authenticator.objects.get().bin_key == key
    assert devices.verify(vera, code_of(device)) == device


def test_recovery_codes_are_hashes_of_eighty_bits_and_work_once(vera: User) -> None:
    codes = devices.new_recovery_codes(vera)
    bare = [code.replace("-", "") for code in codes]
    stored = _stored("operations_recoverycodes")

    assert {len(code) for code in bare} == {16}
    assert len({letter for code in bare for letter in code}) > 20
    assert not any(code in stored for code in (*codes, *bare))
    devices.verify(vera, codes[3].upper().replace("-", " "))
    assert devices.remaining_recovery_codes(vera) == 9
    with pytest.raises(Refused, match="used before"):
        devices.verify(vera, codes[3])


def test_a_row_of_somebody_else_opens_for_nobody(vera: User) -> None:
    ben = User.objects.create_user("ben")
    mine, his = devices.enrol(ben), devices.enrol(vera)
    devices.new_recovery_codes(vera)
    code = devices.new_recovery_codes(ben)[0]
    Authenticator.objects.filter(pk=his.pk).update(key=mine.key)
    RecoveryCodes.objects.filter(user=vera).update(hashes=RecoveryCodes.objects.get(user=ben).hashes)

    for planted in (code_of(mine), code):
        with pytest.raises(Refused, match="altered or is somebody else's"):
            devices.verify(vera, planted)


@pytest.mark.parametrize("at", [5, 12, -3])
def test_an_altered_one_opens_for_nobody(vera: User, at: int) -> None:
    text = list(sealed(b"secret", "me"))
    text[at] = "A" if text[at] != "A" else "B"

    with pytest.raises(Refused):
        opened("".join(text), "me")


def test_one_in_clear_is_refused_and_makes_the_doctor_red(vera: User) -> None:
    device = devices.enrol(vera)
    code = code_of(device)
    Authenticator.objects.filter(pk=device.pk).update(key=default_key())

    with pytest.raises(Refused, match="not sealed"):
        devices.verify(vera, code)

    assert _tones()["second factors at rest"] == "bad"
    assert _reseal()[0] == 1
    assert not is_sealed(Authenticator.objects.get().key)


def test_a_new_key_opens_the_old_ones_until_they_are_sealed_anew(vera: User, settings: Settings) -> None:
    device, codes = devices.enrol(vera), devices.new_recovery_codes(vera)
    settings.FACTOR_KEY_FALLBACKS, settings.FACTOR_KEY = [settings.FACTOR_KEY], OTHER
    assert devices.verify(vera, codes[0])
    assert _tones() == {"FACTOR_KEY": "ok", "second factors at rest": "warn"}

    code, said = _reseal()

    assert (code, said.splitlines()) == (0, ["1 sealed anew"])  # the codes were, when one of them was used
    settings.FACTOR_KEY_FALLBACKS = []
    assert _tones() == {"FACTOR_KEY": "ok", "second factors at rest": "ok"}
    assert all(is_current(row.key) for row in Authenticator.objects.all())
    assert devices.verify(vera, code_of(Authenticator.objects.get(pk=device.pk)))
    assert devices.verify(vera, codes[1])
    assert _reseal() == (0, "0 sealed anew\n")


def test_a_lost_key_is_red_and_changes_nothing(vera: User, settings: Settings) -> None:
    device = devices.enrol(vera)
    settings.FACTOR_KEY = OTHER

    assert _tones()["second factors at rest"] == "bad"
    assert _reseal()[0] == 1
    assert Authenticator.objects.get().key == device.key


@pytest.mark.parametrize(("key", "tone"), [("", "bad"), ("short", "bad"), (OTHER, "ok")])
def test_the_doctor_asks_for_a_key(db: None, settings: Settings, key: str, tone: str) -> None:
    settings.FACTOR_KEY = key

    assert _tones()["FACTOR_KEY"] == tone


@pytest.mark.parametrize("name", ["FACTOR_KEY", "FACTOR_KEY_FALLBACKS"])
def test_the_key_is_hidden_like_every_other(name: str) -> None:
    assert redact.is_secret(name, OTHER)


def test_without_a_key_nothing_is_enrolled(vera: User, settings: Settings) -> None:
    settings.FACTOR_KEY = ""

    for enrol in (devices.enrol, devices.new_recovery_codes):
        with pytest.raises(Refused, match="FACTOR_KEY is not set"):
            enrol(vera)

    assert not Authenticator.objects.exists()


def test_the_doctor_counts_rows_of_every_kind(vera: User) -> None:
    devices.enrol(vera)
    devices.new_recovery_codes(vera)

    assert rotation.counts() == {rotation.CURRENT: 2}


class TestMigration:
    """Rows of a portal before: keys in clear, and codes of django-otp's static devices."""

    migration = importlib.import_module("operations.migrations.0013_factors_at_rest")

    @pytest.fixture
    def before(self, vera: User) -> str:
        key = default_key()
        Authenticator.objects.create(user=vera, name="app", confirmed=True, key=key)
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE otp_static_staticdevice (id bigserial PRIMARY KEY, user_id bigint)")
            cursor.execute("CREATE TABLE otp_static_statictoken (device_id bigint, token text)")
            cursor.execute("INSERT INTO otp_static_staticdevice (user_id) VALUES (%s)", [vera.pk])
            cursor.execute("INSERT INTO otp_static_statictoken SELECT id, 'abcdefghjkmn' FROM otp_static_staticdevice")
        return str(key)

    def _run(self, step: Callable[..., None]) -> None:
        with connection.schema_editor() as editor:
            step(apps, editor)

    def test_forwards_everything_goes_on_working(self, vera: User, before: str) -> None:
        self._run(self.migration.seal)

        device = Authenticator.objects.get()
        assert device.bin_key.hex() == before
        assert devices.verify(vera, code_of(device))
        assert devices.remaining_recovery_codes(vera) == 1
        assert devices.verify(vera, "abcdefghjkmn")
        assert _stored("otp_static_statictoken") == "[null]"

    def test_backwards_the_keys_lie_as_before(self, before: str) -> None:
        self._run(self.migration.seal)
        self._run(self.migration.unseal)

        assert Authenticator.objects.get().key == before

    def test_without_a_key_it_stops_before_it_changes_anything(self, before: str, settings: Settings) -> None:
        settings.FACTOR_KEY = ""

        with pytest.raises(Refused, match="FACTOR_KEY is not set"):
            self._run(self.migration.seal)

        assert Authenticator.objects.get().key == before
