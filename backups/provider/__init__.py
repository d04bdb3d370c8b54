"""Supabase's own backups beside ours: recorded, judged, restored from."""
