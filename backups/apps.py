from django.apps import AppConfig


class BackupsConfig(AppConfig):
    name = "backups"
    verbose_name = "Backups"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from backups import doctor, ledger_lines  # noqa: F401 - its checks register themselves
        from backups.kinds import register_kinds
        from backups.panels import register_panels
        from backups.scheduler import register_jobs

        register_kinds()
        ledger_lines.register()
        register_panels()
        register_jobs()
