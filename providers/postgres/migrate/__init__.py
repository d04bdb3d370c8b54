"""The session that applies a migration."""
