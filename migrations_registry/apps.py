from django.apps import AppConfig


class MigrationsRegistryConfig(AppConfig):
    name = "migrations_registry"
    verbose_name = "Migrations"
    default_auto_field = "django.db.models.BigAutoField"
