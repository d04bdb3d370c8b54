"""Signed facts about every proven run, kept after its rows are deleted."""
