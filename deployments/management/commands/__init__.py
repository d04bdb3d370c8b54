"""Commands of deployments, a module each."""
