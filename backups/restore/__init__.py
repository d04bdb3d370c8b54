"""Rows of a run into a database: empty, beside, or in place."""
