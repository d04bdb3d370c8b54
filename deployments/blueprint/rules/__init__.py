"""Render's published rules for a render.yaml, held against anybody's file."""
