"""Verbs on what a Render workspace holds beside its services' deploys."""
