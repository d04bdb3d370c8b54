"""Live checks of backups, each registered by the module that holds it."""

from backups.doctor import backups, portal, supabase


def register() -> None:
    for room in (backups, portal, supabase):
        room.register()
