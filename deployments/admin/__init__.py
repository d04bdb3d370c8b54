"""The pages of services, deployments, records, edge functions and advisors."""

from deployments.admin import advisors, deployments, functions, records

__all__ = ["advisors", "deployments", "functions", "records"]
