"""Benchmarks against peers that are really run: `python -m bench`. In: a number of rows. Out: bench-results.json."""
