"""Commands of sampelit_ops, a module each."""
