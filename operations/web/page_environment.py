"""Which environment a page is about. In: those that it may show, and the slug of its address. Out: one of them."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import Http404

from operations.models import Environment


def page_environment(environments: Sequence[Environment], slug: str | None) -> Environment | None:
    """The one of this slug; without a slug the first, None where there is none. Raises Http404 for a slug that none of
    them has: another environment in its place would be taken for it."""
    if not slug:
        return environments[0] if environments else None
    for environment in environments:
        if environment.slug == slug:
            return environment
    raise Http404(f"There is no environment {slug[:60]} here. Nothing was read and nothing was changed.")
