"""Rows out of and into a database, with their evidence."""
