"""Rows of one snapshot become stored segments, the manifest last."""
