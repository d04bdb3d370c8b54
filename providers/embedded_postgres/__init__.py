"""Throwaway and demo PostgreSQL servers from a wheel."""
