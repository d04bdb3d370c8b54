"""How much of a request's body a page takes before anything of it is read.

In: a page that takes more than others says so, and for whom. Out: attributes of the view, which
`sampelit_ops.web.request_bounds` asks for before the body is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from operations.authority import holds_somewhere

View = Callable[..., HttpResponse]
KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True)
class BodyLimit:
    """The most bytes of a body, the most characters of one text field, and the permission that this needs."""

    body: int = 256 * KIB
    field: int = 16 * KIB
    permission: str = ""

    def holds_for(self, request: HttpRequest) -> bool:
        """Whether this person may send so much; before a sign-in everybody has the ordinary limit."""
        return not self.permission or holds_somewhere(request.user, self.permission)


ORDINARY = BodyLimit()


def takes(limit: BodyLimit) -> Callable[[View], View]:
    """Mark a page that takes larger bodies; `admin_view` keeps the mark."""

    def mark(view: View) -> View:
        view.body_limit = limit  # type: ignore[attr-defined]
        return view

    return mark


def limit_of(view: View) -> BodyLimit:
    """What this page takes."""
    limit: BodyLimit = getattr(view, "body_limit", ORDINARY)
    return limit
