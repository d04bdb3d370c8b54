"""Backup stores: a directory or a bucket."""
