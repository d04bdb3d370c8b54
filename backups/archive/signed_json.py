"""A manifest or a proof as one signed JSON document, and back: canonical text, its SHA-256, its Ed25519 signature.

In: a body and a Signer, or bytes and a Verifier. Out: bytes, or the body; ManifestError when a byte differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backups.archive.manifest import FORMAT, OLD_FORMAT, Column, Head, Manifest, Segment, Statement, Table
from backups.archive.shape import SHAPES, contradiction, misfit
from backups.archive.signatures import Signer, Verifier, canonical, sha256
from backups.archive.source import Source, Surroundings
from providers import bounded_json
from providers.memory import unswept


class ManifestError(Exception):
    """The document is not what was written; the message says in what way."""


def sealed(body: Mapping[str, Any], signer: Signer | None) -> bytes:
    """A document around any body: its SHA-256 and, with a key, its Ed25519 signature."""
    text = canonical(body)
    signature = {"key": signer.key_id, "value": signer.sign(text)} if signer else None
    return _around(text, sha256(text), signature)


def _around(body: bytes, digest: Any, signature: Any) -> bytes:
    """The canonical document of a canonical body, which is the first of its keys."""
    rest = canonical({"sha256": digest, "signature": signature})
    return b'{"body":' + body + b"," + rest[1:] + b"\n"


def unsealed(data: bytes, verifier: Verifier | None) -> dict[str, Any]:
    """The body of a sealed document. Raises ManifestError when a byte differs or a wanted signature does not hold."""
    try:
        document = bounded_json.loads(data)
        body, digest, signature = document["body"], document["sha256"], document["signature"]
        text = canonical(body)
        rewritten = _around(text, digest, signature)
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestError(f"it is not readable as JSON of this format ({type(error).__name__})") from None
    if sha256(text) != digest or rewritten != data:
        raise ManifestError("its content does not give its own SHA-256: it was edited or damaged")
    if verifier is not None:
        if not isinstance(signature, dict):
            raise ManifestError("it carries no signature, although a signing key is configured")
        if not verifier.holds(text, str(signature.get("value", ""))):
            raise ManifestError(f"its signature does not hold for key {verifier.key_id}")
    if not isinstance(body, dict):
        raise ManifestError("its body is no object")
    return body


@unswept()
def encode(manifest: Manifest, signer: Signer | None) -> bytes:
    return sealed(manifest.body, signer)


@unswept()
def decode(data: bytes, verifier: Verifier | None = None) -> Manifest:
    """Read a manifest back. Raises ManifestError with the reason when it is not exactly what was written."""
    body = unsealed(data, verifier)
    if str(body.get("format")) not in (FORMAT, OLD_FORMAT):
        raise ManifestError(f"its format is {str(body.get('format'))[:40]!r}, not {FORMAT!r}")
    if problem := misfit(body, SHAPES[body["format"]]) or contradiction(body):
        raise ManifestError(f"it was not written by this portal: {problem}")
    try:
        return _manifest(body)
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"a field is missing or of the wrong kind ({error})") from None


def _manifest(body: dict[str, Any]) -> Manifest:
    body = dict(body)
    body["source"] = Source(**body["source"])
    body["tables"] = tuple(table_from(item) for item in body["tables"])
    body["statements"] = tuple(Statement(**item) for item in body["statements"])
    body["recipients"] = tuple(body["recipients"])
    if body["format"] == FORMAT:
        body["objects"] = tuple(Segment(**item) for item in body["objects"])
        around = body["surroundings"]
        lists = {name: tuple(around[name]) for name in ("collations", "roles")}
        body["surroundings"] = Surroundings(**{**around, **lists})
        body["not_covered"] = tuple(body["not_covered"])
    return Manifest(**body)


def table_from(item: dict[str, Any]) -> Table:
    """One table of a manifest's body."""
    item = dict(item)
    item["columns"] = tuple(Column(**column) for column in item["columns"])
    item["segments"] = tuple(Segment(**segment) for segment in item["segments"])
    if item["chains"] is not None:
        item["chains"] = tuple(Head(**head) for head in item["chains"])
    return Table(**item)
