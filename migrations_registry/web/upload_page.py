"""Upload one SQL file or an archive and register it; a repository is read by a worker, asked for on its own page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from migrations_registry.kinds.register import Register
from migrations_registry.services.registration import register_files
from migrations_registry.sources.discovery import discover
from migrations_registry.sources.reader import MAX_ARCHIVE_BYTES, read_upload
from operations.authority import holds_somewhere
from operations.web.body_limit import MIB, BodyLimit, takes
from operations.web.errors import status_of_form
from providers.errors import ProviderError, Refused

PERMISSION = "migrations_registry.register_migrationfile"


class UploadForm(forms.Form):
    """A file, or the URL of a repository."""

    upload = forms.FileField(required=False, label="SQL file or archive (zip, tar)")
    repository = forms.CharField(
        required=False,
        max_length=300,
        label="Git repository",
        help_text="https://…, with @commit, @branch or @tag. A worker reads it.",
    )

    def clean(self) -> dict[str, Any]:
        """Exactly one of the two."""
        cleaned = super().clean() or {}
        if bool(cleaned.get("upload")) == bool(cleaned.get("repository")):
            raise forms.ValidationError("Give a file or a repository, one of the two. Nothing was registered.")
        return cleaned


@takes(BodyLimit(body=MAX_ARCHIVE_BYTES + MIB, permission=PERMISSION))
def page(request: HttpRequest) -> HttpResponse:
    """GET shows the form; POST registers what was found."""
    if not holds_somewhere(request.user, PERMISSION):
        raise PermissionDenied
    form = UploadForm(request.POST or None, request.FILES or None)
    rejected: list[Any] = []
    refused: Refused | ProviderError | None = None
    if request.method == "POST" and form.is_valid():
        if repository := form.cleaned_data["repository"]:
            asked = reverse("admin:operations_request", args=[Register.name])
            return redirect(f"{asked}?{urlencode({'repository': repository})}")
        try:
            made, rejected = _register(request, form)
        except (Refused, ProviderError) as refusal:
            form.add_error(None, str(refusal))
            refused = refusal
        else:
            messages.success(request, f"{made} new content{'s' if made != 1 else ''} registered.")
            if not rejected:
                return redirect("admin:migrations_registry_migrationfile_changelist")
    context = {**admin.site.each_context(request), "title": "Register migrations", "form": form, "rejected": rejected}
    status = status_of_form(form, refused)
    return TemplateResponse(request, "admin/migrations_registry/migrationfile/upload.html", context, status=status)


def _register(request: HttpRequest, form: UploadForm) -> tuple[int, list[Any]]:
    upload = form.cleaned_data["upload"]
    if upload.size > MAX_ARCHIVE_BYTES:
        raise Refused(f"{upload.name} is larger than {MAX_ARCHIVE_BYTES} bytes; nothing was registered.")
    migrations, rejected = discover(read_upload(upload.name, upload.read()))
    if not migrations and not rejected:
        raise Refused(
            "Nothing in it is called schema_*.sql, migration_NN_*.sql or supabase/migrations/<time>_name.sql."
        )
    return len(register_files(migrations, source=f"upload {upload.name}", by=request.user.get_username())), rejected
