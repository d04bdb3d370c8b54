"""Who could pass by the portal: everybody whom a provider, a database or a bucket obeys without asking it."""

from __future__ import annotations


def register() -> None:
    """The daily reading, the doctor's check, the sentence of the ledger."""
    from ledger import registry
    from operations import doctor
    from operations.engine import tick
    from sampelit_ops.outsiders import attestation, readings

    tick.every("outsiders", 86_400, readings.read_all)
    doctor.register(attestation.outsiders)
    registry.sentences({attestation.ATTESTED: "{actor} attested who could pass by the portal: {count} in all"}, {})
