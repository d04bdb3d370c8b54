"""Schemas that changed without an operation."""
