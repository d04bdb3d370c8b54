from django.apps import AppConfig
from django.conf import settings


class DeploymentsConfig(AppConfig):
    name = "deployments"
    verbose_name = "Deployments"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from deployments import doctor, doctor_functions, drift, expiry, jobs, navigation, panels, sentences  # noqa: F401
        from deployments.kinds import register_all
        from operations import home_panels as home
        from operations.engine import tick

        home.register(10, panels.health)
        home.register(20, panels.live)
        navigation.register()
        register_all()
        tick.every("deployments.poll", settings.RENDER_POLL_SECONDS, jobs.poll_render)
        tick.every("deployments.health", settings.HEALTH_PROBE_SECONDS / 3, jobs.probe_health)
        tick.every("deployments.webhooks", 1.0, jobs.process_deliveries)
        tick.every("deployments.reconcile", 600.0, jobs.reconcile_webhooks)
        tick.every("deployments.functions", settings.SUPABASE_SYNC_SECONDS, jobs.read_functions)
        tick.every("deployments.bundles", 86_400.0, jobs.let_bundles_go)
        tick.every("deployments.watchdog", 30.0, jobs.lift_maintenance)
        tick.every("deployments.previews", 300.0, expiry.look)
        tick.every("deployments.drift", 60.0, drift.look)
        tick.every("deployments.variables", 900.0, jobs.read_variables)
