"""The life of an operation: request, claim, steps, end."""
