"""What people write down while something is wrong: notes in the ledger about a subject that an app registers."""
