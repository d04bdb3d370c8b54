"""Names and fingerprints of variables, and their parity between environments."""
