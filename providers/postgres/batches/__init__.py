"""Walking a table by its key in transactions of their own, while others write to it."""
