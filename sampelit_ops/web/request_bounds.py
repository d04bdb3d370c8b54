"""The first middleware: what is too long, malformed or of unknown length is refused before anything looks at it.

In: every request. Out: 400, 404, 411, 413, 414 or 431 with a sentence, or the request as it came. The body's limit is
the page's own (`operations.web.body_limit`) and holds before the first byte is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib.admin.utils import unquote
from django.core import exceptions
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render

from operations.web.body_limit import ORDINARY, View, limit_of
from providers import outside

LONGEST_PATH, LONGEST_QUERY, LONGEST_HEADER = 1_024, 8_192, 8_192
SHORT_HEADERS = ("HTTP_ORIGIN", "HTTP_REFERER", "HTTP_HOST", "HTTP_USER_AGENT", "HTTP_X_FORWARDED_FOR", "CONTENT_TYPE")
LONGEST_SHORT_HEADER = 4_096
MOST_ESCAPES = 4  # for each character of the longest field: so many bytes has UTF-8 for one; each costs a microsecond
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
UNREADABLE = (
    MultiPartParserError,
    exceptions.BadRequest,
    exceptions.RequestDataTooBig,
    exceptions.TooManyFieldsSent,
    exceptions.TooManyFilesSent,
)


class RequestBounds:
    """Refuses by the head alone at first, by the page's own limits once the page is known."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with outside.serving():
            return _wrong_head(request) or self.get_response(request)

    def process_view(self, request: HttpRequest, view: View, _: Any, values: dict[str, Any]) -> HttpResponse | None:
        """Before CSRF's own look into the form: the row's id, the body's size, then each of its fields."""
        if not _can_be_an_id(request.path_info, values):
            return _refuse(request, 404, "No record can have this id.")
        limit = limit_of(view)
        limit = limit if limit.holds_for(request) else ORDINARY
        if _length(request) > limit.body:
            return _refuse(request, 413, f"At most {limit.body // 1024:,} KiB may be sent to this page.")
        if request.method != "POST" or request.content_type not in FORMS:
            return None
        if getattr(view, "csrf_exempt", False):
            _ = request.body  # kept for the view, which reads it raw, whoever looks into it as a form before
            return None
        try:
            if request.content_type == FORMS[0] and request.body.count(b"%") > MOST_ESCAPES * limit.field:
                return _refuse(request, 413, "It holds more escaped characters than a form of this page needs.")
            fields = [*request.POST.lists(), ("", [str(getattr(file, "name", "")) for file in request.FILES.values()])]
        except UNREADABLE:
            return _refuse(request, 400, "The form is no form, or it has too many fields.")
        return _wrong_fields(request, fields, limit.field)


def _wrong_head(request: HttpRequest) -> HttpResponse | None:
    path, query = request.path_info, request.META.get("QUERY_STRING", "")
    if len(path) > LONGEST_PATH or _odd(path):
        return _refuse(request, 404, "No page and no record has this address.")
    if name := _too_long(request.META):
        return _refuse(request, 431, f"The header {name} is too long.")
    if len(query) > LONGEST_QUERY:
        return _refuse(request, 414, f"What follows the question mark is longer than {LONGEST_QUERY:,} characters.")
    if "%00" in query or _odd(query) or _odd_cookie(request):
        return _refuse(request, 400, "It holds a character that no address and no cookie of this portal has.")
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        return _refuse(request, 411, "Say its length: a body that does not is not read.")
    if _length(request) < 0:
        return _refuse(request, 400, "Its length is no number.")
    return None


def _can_be_an_id(path: str, values: dict[str, Any]) -> bool:
    """Whether the id in `/admin/<app>/<model>/<id>/…` is one that the model's key could have."""
    given, parts = values.get("object_id", values.get("pk")), path.split("/")
    key = _keys().get(tuple(parts[2:4]))
    if given is None or key is None:
        return True
    try:
        key.run_validators(key.to_python(unquote(str(given))))
    except ValidationError:
        return False
    return True


@cache
def _keys() -> dict[tuple[str, ...], Any]:
    return {(model._meta.app_label, str(model._meta.model_name)): model._meta.pk for model in apps.get_models()}


def _too_long(meta: dict[str, Any]) -> str:
    """The first header that is longer than it may be."""
    for name, value in meta.items():
        longest = LONGEST_SHORT_HEADER if name in SHORT_HEADERS else LONGEST_HEADER
        if (name.startswith("HTTP_") or name in SHORT_HEADERS) and len(str(value)) > longest:
            return name.removeprefix("HTTP_").replace("_", "-").title()
    return ""


def _odd(text: str) -> bool:
    """NUL and the other control characters, and halves of a character: no database and no path takes them."""
    return any(character < " " or "\ud800" <= character <= "\udfff" for character in text)


def _odd_cookie(request: HttpRequest) -> bool:
    return any(_odd(value) for value in request.COOKIES.values())


def _length(request: HttpRequest) -> int:
    given = request.META.get("CONTENT_LENGTH") or "0"
    return int(given) if given.isascii() and given.isdigit() and len(given) < 16 else -1


def _wrong_fields(request: HttpRequest, fields: Iterable[tuple[str, list[str]]], longest: int) -> HttpResponse | None:
    for name, values in fields:
        for value in values:
            if len(value) > longest or len(name) > 200:
                return _refuse(request, 413, f"One field holds more than {longest:,} characters.")
            if "\0" in value or "\0" in name or not _encodable(value):
                return _refuse(request, 400, "A field holds a NUL character or half a character.")
    return None


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(request: HttpRequest, status: int, cause: str) -> HttpResponse:
    steps = ["Nothing was read and nothing was changed.", "Shorten what you send, or check the address."]
    context = {"title": "That request was refused", "cause": cause, "steps": steps, "status": status}
    return render(request, "error.html", context, status=status)
