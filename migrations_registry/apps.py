from django.apps import AppConfig


class MigrationsRegistryConfig(AppConfig):
    name = "migrations_registry"
    verbose_name = "Migrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from migrations_registry import evidence, offers, sentences, sentences_schema, taken_back
        from migrations_registry.kinds import register_all

        evidence.register()
        sentences.register()
        sentences_schema.register()
        offers.register()
        taken_back.register()
        register_all()
