"""A passkey counts for one person, session and purpose, once, from our origin, with its user verified; nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from ledger.models import Entry
from ledger.registry import sentence_for
from operations.factors import passkeys
from operations.models import Passkey, PasskeyChallenge
from providers.errors import Refused
from tests.soft_authenticator import PRESENT, VERIFIED, SoftAuthenticator

HERE, PURPOSE = "this session", "f" * 64
Made = Callable[..., SoftAuthenticator]


@pytest.fixture(autouse=True)
def ours(settings: Settings, db: None) -> None:
    settings.PASSKEY_ORIGIN, settings.PASSKEY_RP_ID = "http://localhost:8000", "localhost"


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada", is_staff=True)


@pytest.fixture
def ben(db: None) -> User:
    return User.objects.create_user("ben", is_staff=True)


def enrolled(person: User) -> SoftAuthenticator:
    made = SoftAuthenticator()
    passkeys.register(person, HERE, made.register(passkeys.registration(person, HERE, [])), "laptop")
    return made


def asked(person: User, session: str = HERE, purpose: str = PURPOSE) -> str:
    return passkeys.request(person, session, purpose)


def test_one_that_was_enrolled_is_shown(ada: User) -> None:
    key = enrolled(ada)

    row = passkeys.verify(ada, HERE, PURPOSE, key.sign(asked(ada)))

    known = Passkey.objects.get()
    assert (row, known.name, known.sign_count, known.transports) == (known, "laptop", 1, ["internal"])
    assert known.last_used_at is not None
    options = json.loads(asked(ada))
    assert (options["userVerification"], options["rpId"]) == ("required", "localhost")
    assert [each["id"] for each in options["allowCredentials"]] == [known.credential_id]


LIES: list[dict[str, object]] = [
    {"origin": "http://localhost:8001"},
    {"origin": "https://localhost:8000"},
    {"origin": "http://localhost.evil.example:8000"},
    {"rp_id": "evil.example"},
    {"rp_id": "127.0.0.1"},
    {"flags": PRESENT},
    {"flags": VERIFIED},
    {"flags": 0},
    {"spoil": "signature"},
    {"spoil": "authenticatorData"},
    {"type": "webauthn.create"},
    {"challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    {"challenge": ""},
]


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_an_answer_that_lies_is_refused_and_uses_the_challenge_up(ada: User, lie: dict[str, object]) -> None:
    key, options = enrolled(ada), asked(ada)

    with pytest.raises(Refused, match="Nothing was done"):
        passkeys.verify(ada, HERE, PURPOSE, key.sign(options, **lie))  # type: ignore[arg-type]

    assert Passkey.objects.get().last_used_at is None
    if "challenge" not in lie:
        with pytest.raises(Refused, match="answered before"):
            passkeys.verify(ada, HERE, PURPOSE, key.sign(options))


@pytest.mark.parametrize("lie", [lie for lie in LIES if "spoil" not in lie and "type" not in lie], ids=str)
def test_an_enrolment_that_lies_is_refused(ada: User, lie: dict[str, object]) -> None:
    with pytest.raises(Refused):
        passkeys.register(ada, HERE, SoftAuthenticator().register(passkeys.registration(ada, HERE, []), **lie), "x")  # type: ignore[arg-type]

    assert not Passkey.objects.exists()


def test_an_answer_counts_once(ada: User) -> None:
    answer = enrolled(ada).sign(asked(ada))
    passkeys.verify(ada, HERE, PURPOSE, answer)

    with pytest.raises(Refused, match="answered before"):
        passkeys.verify(ada, HERE, PURPOSE, answer)


@pytest.mark.parametrize(("minutes", "counts"), [(4.9, True), (5.1, False)])
@pytest.mark.usefixtures("one_clock")
def test_a_challenge_is_fresh_for_five_minutes(ada: User, minutes: float, counts: bool) -> None:
    answer = enrolled(ada).sign(asked(ada))

    with time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False):
        if counts:
            assert passkeys.verify(ada, HERE, PURPOSE, answer)
        else:
            with pytest.raises(Refused, match="too long ago"):
                passkeys.verify(ada, HERE, PURPOSE, answer)


@pytest.mark.parametrize(
    ("session", "purpose"), [("another session", PURPOSE), (HERE, "e" * 64), (HERE, passkeys.SIGN_IN), ("", PURPOSE)]
)
def test_it_counts_for_the_session_and_the_purpose_that_were_asked(ada: User, session: str, purpose: str) -> None:
    answer = enrolled(ada).sign(asked(ada))

    with pytest.raises(Refused):
        passkeys.verify(ada, session, purpose, answer)

    assert passkeys.verify(ada, HERE, PURPOSE, answer)


def test_another_persons_credential_counts_for_nobody_else(ada: User, ben: User) -> None:
    hers, his = enrolled(ada), enrolled(ben)

    with pytest.raises(Refused, match="not one of yours"):
        passkeys.verify(ben, HERE, PURPOSE, hers.sign(asked(ben)))
    with pytest.raises(Refused):
        passkeys.verify(ben, HERE, PURPOSE, his.sign(asked(ada)))
    his.credential = hers.credential
    with pytest.raises(Refused):
        passkeys.verify(ada, HERE, PURPOSE, his.sign(asked(ada)))


def test_a_copied_one_is_noticed(ada: User) -> None:
    key = enrolled(ada)
    for _ in range(3):
        passkeys.verify(ada, HERE, PURPOSE, key.sign(asked(ada)))
    for count in (0, 1, 2):  # it signs with the next one, and three were seen
        key.count = count

        with pytest.raises(Refused, match="may hold a copy"):
            passkeys.verify(ada, HERE, PURPOSE, key.sign(asked(ada)))

    assert Passkey.objects.get().sign_count == 3
    entries = Entry.objects.filter(code="signin.passkey_copied", actor="ada", subject="laptop")
    assert entries.count() == 3
    assert "laptop of ada signed less often than before" in sentence_for(entries[0])


def test_one_that_never_counts_is_no_copy(ada: User) -> None:
    key = enrolled(ada)

    for _ in range(3):
        key.count = -1
        assert passkeys.verify(ada, HERE, PURPOSE, key.sign(asked(ada)))


def test_the_same_one_is_enrolled_once(ada: User, ben: User) -> None:
    key = enrolled(ada)

    for person in (ada, ben):
        with pytest.raises(Refused, match="enrolled already"):
            passkeys.register(person, HERE, key.register(passkeys.registration(person, HERE, [])), "again")


def test_a_key_that_was_written_by_sql_counts_for_nobody(ada: User, ben: User) -> None:
    key = enrolled(ada)
    row = Passkey.objects.get()
    Passkey.objects.create(user=ben, name="x", credential_id="AAAA", public_key=row.public_key)
    key.credential = b"\0\0\0"

    with pytest.raises(Refused):
        passkeys.verify(ben, HERE, PURPOSE, key.sign(asked(ben)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "rawId", "type", "response", "clientDataJSON", "signature"]), inner, max_size=4
            )
        ),
        max_leaves=8,
    ).map(json.dumps)
)
def test_whatever_is_sent_is_refused_in_words(ada: User, text: str) -> None:
    for receive in (lambda: passkeys.verify(ada, HERE, PURPOSE, text), lambda: passkeys.register(ada, HERE, text, "x")):
        with pytest.raises(Refused):
            receive()


def test_challenges_that_are_over_go(ada: User) -> None:
    key = enrolled(ada)
    with time_machine.travel(timezone.now() - timedelta(hours=1), tick=False):
        asked(ada)

    passkeys.verify(ada, HERE, PURPOSE, key.sign(asked(ada)))

    assert not PasskeyChallenge.objects.filter(expires_at__lt=timezone.now()).exists()
