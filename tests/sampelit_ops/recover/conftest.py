"""A production behind the Supabase stand-in, with people who restore it."""

from tests.supabase_production import act, door, operator, production  # noqa: F401 (fixtures)
