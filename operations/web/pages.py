"""A page of the admin, and the HTTP status of one that says why a POST did nothing.

Logs, metrics and scripts never take such a page for success.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.http import HttpRequest
from django.template.response import TemplateResponse

from providers.errors import ProviderError, Refused

INCOMPLETE = 422


def render_page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> TemplateResponse:
    """The template in the admin's frame."""
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context}, status=status)


def status_of(refusal: Refused | PermissionDenied | ProviderError | None) -> int:
    """403 for who may not, 409 for what a rule or the present state forbids, 503 for a provider; None: 200."""
    if refusal is None:
        return 200
    if isinstance(refusal, PermissionDenied):
        return 403
    return 503 if isinstance(refusal, ProviderError) else 409


def status_of_form(form: BaseForm, refusal: Refused | PermissionDenied | ProviderError | None = None) -> int:
    """The same for a form's page; 422 where its own fields are wrong, 200 where nothing was sent."""
    if refusal is None and form.is_bound and not form.is_valid():
        return INCOMPLETE
    return status_of(refusal)
