"""A schema's fingerprint: what of a database's schema is meant, not how its text happens to be written. Pure.

In: `SchemaObject`s (kind, name, owner table, SQL). Out: a digest that a dump, a rewrite or a reindex leaves alone, and
the named differences of two moments with the SQL of both sides.
"""

from migrations_registry.fingerprint.canonical import canonical
from migrations_registry.fingerprint.compare import Change, compare
from migrations_registry.fingerprint.model import Fingerprint, SchemaObject

__all__ = ["Change", "Fingerprint", "SchemaObject", "canonical", "compare"]
