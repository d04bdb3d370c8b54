"""Commands of sandbox, a module each."""
