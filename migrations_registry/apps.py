from django.apps import AppConfig


class MigrationsRegistryConfig(AppConfig):
    name = "migrations_registry"
    verbose_name = "Migrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from migrations_registry import doctor, jobs, kinds, ledger_sentences, registration
        from migrations_registry.drift import evidence_lines
        from migrations_registry.web import home

        for room in (ledger_sentences, kinds, registration, evidence_lines, doctor, home, jobs):
            room.register()
