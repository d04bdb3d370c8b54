"""The HTTP status of a page that says why a POST did nothing: logs, metrics and scripts never take it for success."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.forms import BaseForm

from providers.errors import ProviderError, Refused

INCOMPLETE = 422


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
