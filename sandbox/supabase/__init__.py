"""A stand-in for Supabase's Management API whose backups, recovery and queries act on a real database."""
