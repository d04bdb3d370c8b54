"""Votes on a request, break-glass, and the tasks that people close."""
