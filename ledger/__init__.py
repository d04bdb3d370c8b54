"""The append-only record of who did what: entries, their hash chain, and their verification."""
