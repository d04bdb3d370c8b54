"""May this deploy go out: the migrations its commit expects."""
