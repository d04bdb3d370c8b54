"""One UPDATE, run in batches by key: each in a transaction of its own, each row once, nobody kept waiting."""
