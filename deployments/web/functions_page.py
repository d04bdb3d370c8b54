"""The pages of edge functions: one function with its versions, and the form that keeps an uploaded bundle."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from deployments.functions import source_archive
from deployments.functions.bundles import keep_files
from deployments.kinds.functions import named
from deployments.models import EdgeFunction
from operations.authority import holds_somewhere
from operations.models import Environment
from operations.navigation import page_of_request
from operations.web.body_limit import MIB, BodyLimit, takes
from operations.web.pages import render_page, status_of_form
from operations.web.verbs import Verb, asking
from providers.errors import Refused

DEPLOY = "deployments.function_deploy"


@permission_required("deployments.view_edgefunction", raise_exception=True)
def page(request: HttpRequest, pk: str) -> HttpResponse:
    """One function: what runs, every version seen, and what can be put back."""
    row = get_object_or_404(EdgeFunction.objects.select_related("environment__project_sync"), pk=pk)
    environment = row.environment
    versions = row.versions.select_related("bundle", "source").defer("bundle__content", "source__content")[:50]
    listed = [
        (version, _back(request, row, version.version) if version.kept and not _runs(row, version.version) else None)
        for version in versions
    ]
    context = {
        "title": row.slug,
        "function": row,
        "environment": environment,
        "versions": listed,
        "sync": getattr(environment, "project_sync", None),
        "verbs": []
        if row.removed_at
        else [
            replace(
                asking(request.user, DEPLOY, environment, "Deploy a bundle"),
                url=f"{reverse('admin:deployments_function_upload')}?"
                f"{urlencode({'environment': environment.slug, 'function': row.slug})}",
            ),
            asking(request.user, "deployments.function_delete", environment, "Delete", "danger", function=row.slug),
        ],
    }
    return render_page(request, "admin/deployments/function/page.html", context)


def _runs(row: EdgeFunction, version: int) -> bool:
    return row.version == version and row.removed_at is None


def _back(request: HttpRequest, row: EdgeFunction, version: int) -> Verb:
    given = {"function": row.slug, "version": str(version)}
    return asking(request.user, "deployments.function_rollback", row.environment, "Put back", **given)


class BundleForm(forms.Form):
    environment = forms.ModelChoiceField(
        Environment.objects.exclude(supabase_ref=""), to_field_name="slug", empty_label=None
    )
    function = forms.CharField(max_length=100, help_text="An existing one, or the name of a new one.")
    upload = forms.FileField(label="Zip of its folder", help_text="At most 20 MiB; files like .env are refused.")


@takes(BodyLimit(body=source_archive.MAX_TOTAL_BYTES + MIB, permission="deployments.deploy"))
def upload(request: HttpRequest) -> HttpResponse:
    """GET shows the form; POST keeps the bundle and leads to the confirmation page of the deploy."""
    if not holds_somewhere(request.user, "deployments.deploy"):
        raise PermissionDenied
    form = BundleForm(request.POST or None, request.FILES or None, initial=request.GET.dict())
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(_keep(request, form))
        except Refused as refusal:
            form.add_error(None, refusal.reason)
            refused = refusal
    context = {"title": "Deploy an edge function", "form": form}
    status = status_of_form(form, refused)
    return render_page(request, "admin/deployments/function/upload.html", context, status=status)


def _keep(request: HttpRequest, form: BundleForm) -> str:
    slug, sent = named(form.cleaned_data["function"]), form.cleaned_data["upload"]
    assert isinstance(sent, UploadedFile)  # noqa: S101 (a FileField gives nothing else)
    if (sent.size or 0) > source_archive.MAX_TOTAL_BYTES:
        raise Refused(f"{sent.name} is larger than {source_archive.MAX_TOTAL_BYTES // 2**20} MiB. Nothing was kept.")
    files = source_archive.from_upload(sent.read(), sent.name or "the upload")
    row = keep_files(slug, files, request.user.get_username())
    return page_of_request(DEPLOY, environment=form.cleaned_data["environment"].slug, function=slug, bundle=row.sha256)
