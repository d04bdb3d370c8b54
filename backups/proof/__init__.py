"""The restore drill: read back, load, compare; proven or not."""
