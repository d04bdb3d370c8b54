"""Whose vote counts: since when somebody may vote, what the ledger says about a vote, and why one does not count."""
