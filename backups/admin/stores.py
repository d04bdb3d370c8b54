"""The admin's list of stores, and the page of one: what it can do, the least policies, probing again."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backups.models import StoreReport
from backups.stores import configured
from backups.web import store_page
from operations.admin.base import ReadOnlyAdmin
from operations.admin.columns import moment


@admin.register(StoreReport)
class StoreReportAdmin(ReadOnlyAdmin):
    list_display = ["address", "use", "usable_badge", "retention", "looked"]
    dated = "checked_at"
    list_display_links = None
    actions = ["probe_again"]
    list_title = "Stores"
    list_lede = "Where the copies lie, and what each place was seen to do when it was last probed."
    empty_title = "No store was probed yet"
    empty_text = "A probe writes, reads back, tries to overwrite and to delete a few small objects."
    empty_command = "sampelit-ops probe_store"
    looked = moment("Probed", "checked_at")

    def page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return store_page.page(request, object_id, self.admin_site.each_context(request))

    @admin.action(description="Probe again", permissions=["view"])
    def probe_again(self, request: HttpRequest, rows: QuerySet[StoreReport]) -> None:
        """Writes a few small objects into each chosen store and shows what it did."""
        for row in rows:
            store_page.probe_now(request, row)

    @admin.display(description="Store", ordering="url")
    def address(self, row: StoreReport) -> SafeString:
        url = reverse("admin:backups_storereport_change", args=[row.pk])
        return format_html('<a class="mono wrap" href="{}">{}</a>', url, row.url)

    @admin.display(description="Used as")
    def use(self, row: StoreReport) -> str:
        return configured.known().get(row.url, "no longer used for new runs")

    @admin.display(description="Usable", ordering="usable")
    def usable_badge(self, row: StoreReport) -> SafeString:
        return store_page.usable_badge(row)

    @admin.display(description="Object Lock")
    def retention(self, row: StoreReport) -> str:
        finding = row.finding("Object Lock")
        return str(finding["found"]) if finding else "–"
