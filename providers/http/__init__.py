"""HTTPS to providers, health addresses and whoever is told."""
