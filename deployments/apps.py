from django.apps import AppConfig


class DeploymentsConfig(AppConfig):
    name = "deployments"
    verbose_name = "Deployments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from deployments import doctor, jobs, kinds, ledger_sentences
        from deployments.web import home

        for room in (ledger_sentences, kinds, doctor, home, jobs):
            room.register()
