"""A report as one signed document, and back: canonical JSON, its SHA-256, its Ed25519 signature. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backups.archive.signatures import Signer, Verifier
from backups.archive.signed_json import ManifestError, sealed, unsealed
from backups.evidence.periods import Gap
from backups.evidence.report import (
    FORMAT,
    IncidentLine,
    Protection,
    Recovery,
    Report,
    RestoreLine,
    RunLine,
    SlotLine,
    Trouble,
    Watched,
    document,
)
from backups.evidence.verdicts import ChainVerdict, Change, Conversions
from providers import bounded_json


@dataclass(frozen=True)
class Signed:
    """`text` is what was signed, whole, as it is kept and downloaded."""

    report: Report
    text: str
    sha256: str
    key: str
    signature: str


def sign(report: Report, signer: Signer) -> Signed:
    return _signed(report, sealed(document(report), signer))


def opened(data: bytes, verifier: Verifier | None) -> Signed:
    """Raises ManifestError when a byte differs, or the signature does not hold for the verifier's keys."""
    body = unsealed(data, verifier)
    if body.get("format") != FORMAT:
        raise ManifestError(f"its format is {body.get('format')!r}, not {FORMAT!r}")
    try:
        return _signed(_report(body), data)
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"a field is missing or of the wrong kind ({error})") from None


def _signed(report: Report, data: bytes) -> Signed:
    whole = bounded_json.loads(data)
    signature = whole["signature"] or {"key": "", "value": ""}
    return Signed(report, data.decode(), whole["sha256"], signature["key"], signature["value"])


def _report(body: dict[str, Any]) -> Report:
    lines: dict[str, Any] = {
        "runs": RunLine,
        "slots": SlotLine,
        "troubles": Trouble,
        "incidents": IncidentLine,
    }
    made = {name: tuple(kind(**item) for item in body[name]) for name, kind in lines.items()}
    restores = tuple(
        RestoreLine(**{**restore, "approved_by": tuple(restore["approved_by"])}) for restore in body["restores"]
    )
    watched = Watched(**{**body["watched"], "gaps": tuple(Gap(**gap) for gap in body["watched"]["gaps"])})
    protection = Protection(**{**body["protection"], "holds": tuple(body["protection"]["holds"])})
    return Report(
        **{
            **body,
            **made,
            "restores": restores,
            "watched": watched,
            "protection": protection,
            "recovery": Recovery(**body["recovery"]),
            "months": tuple(body["months"]),
            "cannot_be_known": tuple(body["cannot_be_known"]),
            "chains": tuple(_chain(chain) for chain in body["chains"]),
        }
    )


def _chain(item: dict[str, Any]) -> ChainVerdict:
    return ChainVerdict(
        **{
            **item,
            "decisions_sha256": tuple((month, digest) for month, digest in item["decisions_sha256"]),
            "changes": tuple(Change(**change) for change in item["changes"]),
            "set_conversions": tuple(_set(conversions) for conversions in item["set_conversions"]),
            "not_compared": tuple(item["not_compared"]),
        }
    )


def _set(item: dict[str, Any]) -> Conversions:
    places = item["sequences"]
    return Conversions(**{**item, "sequences": None if places is None else tuple((a, b) for a, b in places)})
