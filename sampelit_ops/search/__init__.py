"""The search above every page: rows by name or id, and what can be done with them, in words."""
