"""Clients of what lies outside: PostgreSQL, object stores, Render, Supabase, git and mail."""
