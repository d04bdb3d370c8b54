"""Every address of the portal. Pages live under /admin/; machines ask the rest."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import include, path

from deployments.views import render_webhook
from sampelit_ops.views import errors, health, metrics


def root(request: HttpRequest) -> HttpResponse:
    """The bare address leads to the portal."""
    return redirect("admin:index")


urlpatterns = [
    path("", root, name="root"),
    path("admin/account/", include("sampelit_ops.signin.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("webhooks/render/", render_webhook, name="render_webhook"),
    path("favicon.ico", errors.favicon, name="favicon"),
]
handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.broken
