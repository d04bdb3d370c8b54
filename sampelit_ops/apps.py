from django.contrib.admin.apps import AdminConfig


class OpsAdminConfig(AdminConfig):
    """Makes `django.contrib.admin.site` our OpsAdminSite, so apps register with the plain decorator."""

    default_site = "sampelit_ops.admin_site.OpsAdminSite"
