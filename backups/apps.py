from django.apps import AppConfig


class BackupsConfig(AppConfig):
    name = "backups"
    verbose_name = "Backups"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from backups import doctor, doctor_portal, incident_lines, ledger_lines  # noqa: F401 - its checks register
        from backups.duties import register_duties
        from backups.evidence import registration as evidence
        from backups.kinds import register_kinds
        from backups.panels import register_panels
        from backups.provider import registration
        from backups.retention_kinds import register_kinds as register_retention
        from backups.scheduler import register_jobs

        register_kinds()
        register_retention()
        register_duties()
        ledger_lines.register()
        incident_lines.register()
        register_panels()
        register_jobs()
        registration.register()
        evidence.register()
