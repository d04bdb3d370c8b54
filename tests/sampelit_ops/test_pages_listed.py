"""Every page that can be opened is looked at: `tests.browser.pages` lists it, or it stands here as something else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.urls import URLResolver, get_resolver, resolve

from tests import factories
from tests.browser.pages import pages

OF_EVERY_MODEL = ("add", "delete", "history")  # Django's own, looked at for one model
FRAGMENTS = {"backups_run_live", "backups_explain", "deployments_live", "operations_live", "panels"}
DOWNLOADS = {
    "backups_evidence_download",
    "backups_manifest",
    "backups_offline_file",
    "backups_segment",
    "backups_table_csv",
    "deployments_delivery",
    "guide_picture",
    "ledger_export",
    "operations_log",
    "operations_notes",
}
ONLY_POST = {
    *("add_passkey", "ledger_verify", "logout", "operations_close_task", "passkey_sign_in", "recovery_codes"),
    *("remove_app", "remove_passkey", "rename_passkey", "render_webhook", "revoke_token"),
    *("end_session", "end_sessions", "oidc_link", "time_zone"),
}
FOR_MACHINES = {"favicon", "healthz", "metrics", "readyz", "root"}
DJANGOS = {"", "autocomplete", "django_q_ormq_change", "jsi18n", "password_change_done", "view_on_site"}
BY_A_SIGNED_LINK = {"welcome"}
TO_THE_PROVIDER = {"oidc_begin", "oidc_callback"}
LEADS_ON = {"deployments_of"}
NO_PAGE = LEADS_ON | FRAGMENTS | DOWNLOADS | ONLY_POST | FOR_MACHINES | DJANGOS | BY_A_SIGNED_LINK | TO_THE_PROVIDER


def _names(patterns: Iterable[Any]) -> Iterator[str]:
    for pattern in patterns:
        yield from _names(pattern.url_patterns) if isinstance(pattern, URLResolver) else [pattern.name or ""]


@pytest.mark.django_db
def test_every_page_is_looked_at() -> None:
    factories.world()
    models = [f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry]
    usual = {f"{model}_{what}" for model in models for what in OF_EVERY_MODEL}
    listed = {resolve(address.partition("?")[0]).url_name for _, url in pages() if (address := url())}

    forgotten = set(_names(get_resolver().url_patterns)) - listed - usual - NO_PAGE
    assert not forgotten, f"Add to tests/browser/pages.py, so that it is looked at: {sorted(forgotten)}"
