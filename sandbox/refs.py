"""The projects' refs, which Render's variables and Supabase's API both name."""

from __future__ import annotations

REFS = {"production": "sampelitproductionab", "staging": "sampelitstagingabcde"}
SUPABASE_TOKEN = "sbp_5a3db0c5a3db0c5a3db0c5a3db0c5a3db0c5a3db"  # noqa: S105 - a made-up value


def supabase_url(environment: str) -> str:
    return f"https://{REFS[environment]}.supabase.co"
