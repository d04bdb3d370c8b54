"""Altered history: who looks at it, what is held because of it."""
