"""The pages of policies, runs, stores, incidents and evidence."""

from backups.admin import evidence, incidents, policies, records, runs, stores

__all__ = ["evidence", "incidents", "policies", "records", "runs", "stores"]
