"""Supabase's edge functions and advisors: reading them, keeping their bundles, remembering findings."""
