"""What a migration may do to a database (declared by its text) and what it did (measured before COMMIT), compared.

Pure. In: a file's bytes, knowledge of the target, the effects that happened. Out: those that nobody approved, in words.
"""

from migrations_registry.effects.compare import undeclared
from migrations_registry.effects.declared import declared
from migrations_registry.effects.least_risk import beyond
from migrations_registry.effects.model import Allowance, DeclaredEffects, Effect
from migrations_registry.effects.wording import told

__all__ = ["Allowance", "DeclaredEffects", "Effect", "beyond", "declared", "told", "undeclared"]
