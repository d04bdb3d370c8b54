from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps as admin_apps


class SampelitOpsConfig(AppConfig):
    name = "sampelit_ops"
    verbose_name = "Sampelit Ops"
    default = True

    def ready(self) -> None:
        from sampelit_ops import (
            checks,  # noqa: F401 (checks register themselves)
            doctor_panel,
            ledger_watch,
            navigation,
            panels,
            signin,
        )

        navigation.register_links()
        panels.register_panels()
        signin.register()
        ledger_watch.register()
        doctor_panel.register()
        if settings.DEMO:
            from sampelit_ops.demo import alarms

            alarms.register()


class OpsAdminConfig(admin_apps.AdminConfig):
    """Makes `django.contrib.admin.site` our OpsAdminSite, so apps register with the plain decorator."""

    default = False
    default_site = "sampelit_ops.admin_site.OpsAdminSite"
