"""Verbs on a Supabase project as a whole: who may reach it, writes that are refused, upgrades."""
