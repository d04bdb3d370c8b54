"""Commands of operations, a module each."""
