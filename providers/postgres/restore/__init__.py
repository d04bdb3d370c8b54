"""Rows brought back into a database that lives."""
