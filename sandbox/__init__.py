"""Stand-ins for Render and Supabase that the demo and the tests talk to."""
