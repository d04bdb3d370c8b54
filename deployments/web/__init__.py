"""Pages of services, deployments, variables and edge functions."""
