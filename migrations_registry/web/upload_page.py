"""Upload one SQL file or an archive, or name a repository; a worker reads it, asked for on the next page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from migrations_registry.kinds.register import Register
from migrations_registry.services import uploads
from operations.authority import holds_somewhere
from operations.navigation import page_of_request
from operations.web.body_limit import MIB, BodyLimit, takes
from operations.web.pages import render_page, status_of_form
from providers.errors import Refused

PERMISSION = "migrations_registry.register_migrationfile"


class UploadForm(forms.Form):
    """A file, or the URL of a repository."""

    upload = forms.FileField(required=False, max_length=200, label="SQL file or archive (zip, tar)")
    repository = forms.CharField(
        required=False,
        max_length=300,
        label="Git repository",
        help_text="https://…, with @commit, @branch or @tag.",
    )

    def clean(self) -> dict[str, Any]:
        """Exactly one of the two."""
        cleaned = super().clean() or {}
        if bool(cleaned.get("upload")) == bool(cleaned.get("repository")):
            raise forms.ValidationError("Give a file or a repository, one of the two. Nothing was kept.")
        return cleaned


@takes(BodyLimit(body=uploads.MOST_BYTES + MIB, permission=PERMISSION))
def page(request: HttpRequest) -> HttpResponse:
    """GET shows the form; POST keeps what was sent and leads to the request that has a worker read it."""
    if not holds_somewhere(request.user, PERMISSION):
        raise PermissionDenied
    form = UploadForm(request.POST or None, request.FILES or None, label_suffix="")
    refused: Refused | None = None
    if request.method == "POST" and form.is_valid():
        try:
            asked = (
                {"repository": form.cleaned_data["repository"]}
                if form.cleaned_data["repository"]
                else _keep(request, form)
            )
        except Refused as refusal:
            form.add_error(None, refusal.reason)
            refused = refusal
        else:
            return redirect(page_of_request(Register.name, **asked))
    context = {"title": "Register migrations", "form": form}
    status = status_of_form(form, refused)
    return render_page(request, "admin/migrations_registry/migrationfile/upload.html", context, status=status)


def _keep(request: HttpRequest, form: UploadForm) -> dict[str, str]:
    sent = form.cleaned_data["upload"]
    return {"upload": str(uploads.keep(sent, request.user.get_username()).pk)}
