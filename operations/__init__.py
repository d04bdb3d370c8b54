"""Requests, votes and steps: how anything that changes the product is asked for, approved and run."""
