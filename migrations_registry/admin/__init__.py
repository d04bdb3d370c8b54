"""The pages of migration files, rules, applications and drift."""

from migrations_registry.admin import files, schema

__all__ = ["files", "schema"]
