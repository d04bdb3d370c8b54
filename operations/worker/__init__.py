"""Processes that run due operations, and their supervisor."""
