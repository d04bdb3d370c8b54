"""One way to draw an account page inside the portal's frame."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    """The template with the admin site's frame, never kept by a cache."""
    response = render(request, template, {**admin.site.each_context(request), "title": title, **context})
    response["Cache-Control"] = "no-store"
    return response
