"""Django looks here for the commands of operations."""
