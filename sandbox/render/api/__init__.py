"""The routes of Render's API, by noun."""
