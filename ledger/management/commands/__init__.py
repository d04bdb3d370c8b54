"""Commands of ledger, a module each."""
