"""Passkeys (WebAuthn): registered, and shown for exactly one purpose. The protocol is `webauthn`'s (py_webauthn).

In: a person, a session, a purpose (`register`, `sign-in`, or the hash of a step-up), and what the browser answered.
Out: options for the browser, a Passkey row, or Refused. A challenge counts once, for five minutes, for that person,
session and purpose; origin and RP ID come from settings, and the authenticator must have verified its user.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from ledger.services import record
from operations.factors import enrolments
from operations.factors.acts import digest_of
from operations.factors.assertions import WRONG, check, checked, kept
from operations.models import Passkey, PasskeyChallenge
from operations.models.factor_key import sealed_passkey
from operations.periodic.clock import database_time
from providers import bounded_json
from providers.errors import Refused

VALID = timedelta(minutes=5)
LONGEST = 16_384  # characters of an answer
REGISTER, SIGN_IN = "register", "sign-in"
REQUIRED = UserVerificationRequirement.REQUIRED


def of(user: User) -> list[Passkey]:
    return list(Passkey.objects.filter(user=user))


def registration(user: User, session: str, known: list[Passkey]) -> str:
    """The options of `navigator.credentials.create`, as JSON; whatever holds a known one makes no other."""
    options = generate_registration_options(
        rp_id=settings.PASSKEY_RP_ID,
        rp_name="Sampelit Ops",
        user_id=bytes.fromhex(digest_of("passkeys of", user.pk)),
        user_name=user.username,
        user_display_name=user.get_full_name() or user.username,
        challenge=_challenge(user, session, REGISTER),
        exclude_credentials=_described(known),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=REQUIRED
        ),
    )
    return options_to_json(options)


def request(user: User, session: str, purpose: str) -> str:
    """The options of `navigator.credentials.get`, as JSON; empty for whoever has no passkey."""
    described = _described(of(user))
    if not described:
        return ""
    return options_to_json(
        generate_authentication_options(
            rp_id=settings.PASSKEY_RP_ID,
            challenge=_challenge(user, session, purpose),
            allow_credentials=described,
            user_verification=REQUIRED,
        )
    )


@transaction.atomic
def register(user: User, session: str, answer: str, name: str) -> Passkey:
    """The new passkey. Raises Refused."""
    given = _parsed(answer)
    challenge, _ = _spent(user, session, REGISTER, given)
    verified = checked(
        lambda: verify_registration_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=settings.PASSKEY_RP_ID,
            expected_origin=settings.PASSKEY_ORIGIN,
            require_user_verification=True,
        )
    )
    credential_id = bytes_to_base64url(verified.credential_id)
    if Passkey.objects.filter(credential_id=credential_id).exists():
        raise Refused("This passkey is enrolled already. Nothing was enrolled.")
    return Passkey.objects.create(
        user=user,
        name=name,
        credential_id=credential_id,
        public_key=sealed_passkey(verified.credential_public_key, user.pk, credential_id),
        sign_count=verified.sign_count,
        synced=verified.credential_backed_up,
        transports=_transports(given),
    )


def verify(user: User, session: str, purpose: str, answer: str) -> Passkey:
    """The passkey of this person that answered exactly this. Raises Refused; a copied one is written down."""
    return sign(user, session, purpose, answer)[0]


def sign(user: User, session: str, purpose: str, answer: str) -> tuple[Passkey, dict[str, str]]:
    """The same, with what it signed, as the ledger keeps it."""
    given = _parsed(answer)
    challenge, nonce = _spent(user, session, purpose, given)
    with transaction.atomic():
        row = Passkey.objects.select_for_update().filter(user=user, credential_id=str(given.get("id"))).first()
        if row is None:
            raise Refused("This passkey is not one of yours here. Nothing was done; use one that you enrolled.")
        verified = check(given, challenge, row.cose_key)
        copied = max(row.sign_count, verified.new_sign_count) > 0 and verified.new_sign_count <= row.sign_count
        if not copied:
            used = {"sign_count": verified.new_sign_count, "last_used_at": database_time()}
            Passkey.objects.filter(pk=row.pk).update(**used, synced=verified.credential_backed_up)
            enrolments.make_known(row)
            return row, kept(given, nonce)
    with transaction.atomic():
        about = {"before": row.sign_count, "now": verified.new_sign_count}
        record("signin.passkey_copied", actor=user.username, subject=row.name, data=about)
    raise Refused(
        f"The passkey {row.name} signed less often than before: somebody may hold a copy. Nothing was done; remove it."
    )


def _challenge(user: User, session: str, purpose: str) -> bytes:
    return PasskeyChallenge.objects.issue(user, digest_of(session), purpose, database_time() + VALID)


def _spent(user: User, session: str, purpose: str, given: dict[str, object]) -> tuple[bytes, str]:
    """The challenge that this answer names with its nonce, used up; those that are over go. Raises Refused for any but
    their own."""
    PasskeyChallenge.objects.filter(person=user, expires_at__lt=database_time() - VALID).delete()
    try:
        client = bounded_json.loads(base64url_to_bytes(str(given["response"]["clientDataJSON"])))  # type: ignore[index]
        challenge = base64url_to_bytes(str(client["challenge"]))
    except (ValueError, KeyError, TypeError):
        raise Refused(WRONG) from None
    nonce = PasskeyChallenge.objects.spend(user, digest_of(session), purpose, challenge)
    if not nonce:
        raise Refused("This was asked too long ago, or was answered before. Nothing was done; reload the page.")
    return challenge, nonce


def _parsed(answer: str) -> dict[str, object]:
    try:
        given = bounded_json.loads(answer) if len(answer) <= LONGEST else None
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise Refused(WRONG)
    return given


def _described(rows: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(row.credential_id),
            transports=[AuthenticatorTransport(way) for way in row.transports],
        )
        for row in rows
    ]


def _transports(given: dict[str, object]) -> list[str]:
    """Hints for the browser; ways that nobody knows are left out."""
    response = given.get("response")
    named = response.get("transports") if isinstance(response, dict) else None
    known = {way.value for way in AuthenticatorTransport}
    return [way for way in named if isinstance(way, str) and way in known] if isinstance(named, list) else []
