"""OpsAdminSite: the one site of the portal. Home page, sidebar, ribbon, search; everything else is Django's admin.

In: registries of operations (panels, navigation). Out: pages at /admin/. `django.contrib.admin.site` is this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib import admin
from django.core.checks import CheckMessage
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.functional import SimpleLazyObject

from operations import home_panels, navigation
from sampelit_ops.outsiders.page import outsiders_page
from sampelit_ops.recover import page as recover
from sampelit_ops.search.tables import NEWEST
from sampelit_ops.signin.forms import OpsLoginForm
from sampelit_ops.signin.views.password import OwnPassword
from sampelit_ops.site import guide, header, home, page_counts
from sampelit_ops.views import connect, doctor

STYLESHEETS = ("ops/tokens.css", "ops/layout.css", "ops/parts.css", "ops/admin.css")


class OpsAdminSite(admin.AdminSite):
    """Django's admin with our frame around it."""

    site_header = site_title = "Sampelit Ops"
    index_title = "Overview"
    enable_nav_sidebar = False
    site_url = None
    empty_value_display = "–"
    login_form = OpsLoginForm

    def check(self, app_configs: Sequence[AppConfig] | None) -> list[CheckMessage]:
        """Of all pages: a command that needs none of them has not imported them."""
        admin.autodiscover()
        return super().check(app_configs)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Worked out where it is shown: Django asks what each person may do with each model for every page."""
        return SimpleLazyObject(lambda: super(OpsAdminSite, self).get_app_list(request, app_label))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Django's context plus sidebar, ribbon, ledger line and user menu; those only for people who are signed in."""
        context = {**super().each_context(request), "ops_stylesheets": STYLESHEETS, "ops_demo": settings.DEMO}
        context |= {
            "ops_sign_on": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
            "ops_passwords_for_few": bool(settings.OIDC_PASSWORD_USERS),
        }
        if context["has_permission"]:
            context |= {
                "ops_navigation": navigation.groups(request),
                "ops_user_links": navigation.user_links(),
                "ops_ribbon": header.ribbon(request),
                "ops_note": header.note(request),
                "ops_zone": page_counts.of(request).zone,
            }
        return context

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """The home page's fragment, the search and the list of all records, before Django's own."""
        admin.autodiscover()
        own: list[URLPattern | URLResolver] = [
            path("panels/", self.admin_view(self.panels), name="panels"),
            path("jump/", self.admin_view(self.jump), name="jump"),
            path("records/", self.admin_view(self.records), name="records"),
            path("guide/", self.admin_view(guide.guide_page), name="guide"),
            path("guide/pictures/<slug:name>.webp", self.admin_view(guide.picture), name="guide_picture"),
            path("guide/<slug:name>/", self.admin_view(guide.guide_page), name="guide_page"),
            path("doctor/", self.admin_view(doctor.doctor_page), name="doctor"),
            path("doctor/outsiders/", self.admin_view(outsiders_page), name="outsiders"),
            path("connect/", self.admin_view(connect.connect_page), name="connect"),
            path("password_change/", self.admin_view(OwnPassword.as_view()), name="password_change"),
            path("recover/", self.admin_view(recover.page), name="recover"),
        ]
        if settings.DEMO:
            from sampelit_ops.demo.accidents import alarms

            own.append(path("demo/alarms/", self.admin_view(alarms.page), name="demo_alarms"))
        return own + super().get_urls()

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The five questions, the timeline and the charts."""
        _must_look(request)
        context = {**self.each_context(request), **home.context(request), **(extra_context or {}), "title": "Overview"}
        return TemplateResponse(request, "admin/index.html", context)

    def panels(self, request: HttpRequest) -> HttpResponse:
        """The cards alone, for the live refresh of the home page."""
        _must_look(request)
        return render(request, "admin/includes/panels.html", home.split(home_panels.collect(request)))

    def jump(self, request: HttpRequest) -> HttpResponse:
        """Search: one exact hit leads there at once, else pages and records that fit."""
        _must_look(request)
        result = header.search(request, request.GET.get("q", ""))
        if result.exact:
            return redirect(result.exact)
        context = {**self.each_context(request), "title": "Search", "jump_query": result.query}
        context |= {"found": result, "newest": f"{NEWEST:,}"}
        return render(request, "admin/jump.html", context)

    def records(self, request: HttpRequest) -> HttpResponse:
        """Django's own index: every kind of row this person may see."""
        _must_look(request)
        context = {**self.each_context(request), "title": "All records", "app_list": self.get_app_list(request)}
        return render(request, "admin/records.html", context)


def _must_look(request: HttpRequest) -> None:
    """Raise PermissionDenied for staff to whom nobody gave a role or a permission: they see no page about anything."""
    if not request.user.is_superuser and not request.user.get_all_permissions():
        raise PermissionDenied("Nobody has given you a role yet, so there is nothing to see. Nothing was changed.")
