from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps as admin_apps


class SampelitOpsConfig(AppConfig):
    name = "sampelit_ops"
    verbose_name = "Sampelit Ops"
    default = True

    def ready(self) -> None:
        from sampelit_ops import checks, ledger_watch, outsiders, signin
        from sampelit_ops.site import home_panels, navigation

        for room in (checks, navigation, signin, ledger_watch, outsiders, home_panels):
            room.register()
        if settings.DEMO:
            from sampelit_ops.demo import rehearsal
            from sampelit_ops.demo.accidents import alarms

            alarms.register()
            rehearsal.register()


class OpsAdminConfig(admin_apps.SimpleAdminConfig):
    """Makes `django.contrib.admin.site` our OpsAdminSite; its pages are imported with the addresses."""

    default = False
    default_site = "sampelit_ops.site.admin_site.OpsAdminSite"
