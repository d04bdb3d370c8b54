"""What this package adds to the registries, called once from AppConfig.ready."""

from __future__ import annotations

from backups.provider import doctor, setup, sync  # noqa: F401 - the doctor's checks register themselves


def register() -> None:
    sync.register_jobs()
    setup.register()
