"""Render's word becomes rows: polls, webhooks, deploys asked for and awaited."""
