#!/usr/bin/env python3
"""Hold a kept witness against a copy of a store: python compare_witness.py DIR --public-key FILE --witness FILE

Needs verify_backup.py beside it and nothing of the portal. Checks the witness's own signature, that every run it names
still has that very manifest, and that no signed checkpoint tells another ledger of the witnessed size.
Exit code 0: all of it still holds. 1: something does not, and every reason is printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

sys.path.insert(0, str(Path(__file__).resolve().parent))
from verify_backup import canonical, read_public_keys, sha256, unsealed

FORMAT = "sampelit-ops-witness/1"


def document(path: Path, keys: list[Ed25519PublicKey]) -> tuple[dict[str, Any] | None, str]:
    """The signed body inside a saved message or object, or None and the reason."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    line = next((line.strip() for line in lines if line.strip().startswith('{"body":')), "")
    body, reason = unsealed(line.encode() + b"\n", keys)
    if body is not None and body.get("format") != FORMAT:
        return None, f"is {body.get('format')!r}, not {FORMAT!r}"
    return body, reason


def differences(root: Path, body: dict[str, Any], keys: list[Ed25519PublicKey]) -> Iterator[str]:
    for run in body["runs"]:
        path = root / "runs" / run["run"] / "manifest.json"
        if not path.is_file():
            yield f"run {run['run']} of {run['environment']}/{run['policy']} is missing"
            continue
        manifest, reason = unsealed(path.read_bytes(), keys)
        if manifest is None:
            yield f"the manifest of run {run['run']} {reason}"
        elif sha256(canonical(manifest)) != run["manifest_sha256"]:
            yield f"the manifest of run {run['run']} is another than the one that was witnessed"
    size, head = body["ledger"]["size"], body["ledger"]["head_sha256"]
    for path in sorted(root.glob(f"ledger/checkpoints/{size:012d}-*.json")):
        mark, reason = unsealed(path.read_bytes(), keys)
        if mark is None:
            yield f"{path.name} {reason}"
        elif mark["head_sha256"] != head:
            yield f"a checkpoint tells another ledger of {size} entries than the one that was witnessed"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--public-key", type=Path, required=True, metavar="FILE")
    parser.add_argument("--witness", type=Path, required=True, metavar="FILE")
    options = parser.parse_args()
    try:
        keys = read_public_keys(options.public_key)
        body, reason = document(options.witness, keys)
    except (OSError, ValueError) as error:
        print(f"cannot be read: {error}")
        return 1
    if body is None:
        print(f"the witness {reason}")
        return 1
    problems = list(differences(options.directory, body, keys))
    print(
        f"witness of {body['at']}: {body['ledger']['size']} ledger entries, {len(body['runs'])} runs"
        f" {'DIFFERS' if problems else 'hold'}"
    )
    for problem in problems:
        print(f"    {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
