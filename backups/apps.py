from django.apps import AppConfig


class BackupsConfig(AppConfig):
    name = "backups"
    verbose_name = "Backups"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from backups import doctor, jobs, kinds, ledger_sentences
        from backups.anchoring import manifests
        from backups.evidence import kinds as evidence
        from backups.incidents import kinds as incidents
        from backups.provider import kinds as provider
        from backups.retention import kinds as retention
        from backups.web import home

        for room in (ledger_sentences, manifests, kinds, retention, incidents, evidence, provider, doctor, home, jobs):
            room.register()
