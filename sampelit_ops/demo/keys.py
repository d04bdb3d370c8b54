"""The demo's own backup keys: a signing key, an age key for the prove worker and a second recipient kept apart."""

from __future__ import annotations

from pyrage import x25519

from backups.archive.signatures import generate
from sampelit_ops.demo.paths import DATA


def demo_keys() -> dict[str, str]:
    """Variables of a new demo; the spare identity goes into a file of its own, as it would go into a safe."""
    worker, spare = x25519.Identity.generate(), x25519.Identity.generate()
    signing_key, _ = generate()
    safe = DATA / "spare-age-identity.txt"
    if not safe.exists():
        safe.touch(mode=0o600)
        safe.write_text(f"{spare}\n", encoding="ascii")
    else:
        spare = x25519.Identity.from_str(safe.read_text(encoding="ascii").strip())
    return {
        "BACKUP_SIGNING_KEY": signing_key,
        "BACKUP_AGE_IDENTITY": str(worker),
        "BACKUP_AGE_RECIPIENTS": f"{worker.to_public()},{spare.to_public()}",
    }
