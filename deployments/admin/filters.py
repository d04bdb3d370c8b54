"""List filters that cost no query: who did it, by the person who looks or by where the portal knows it from."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from deployments.models import Deployment


class WhoFilter(admin.SimpleListFilter):
    title = "who"
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("me", "Me"), *[(str(value), str(label)) for value, label in Deployment.Source.choices]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Deployment]) -> QuerySet[Deployment]:
        if self.value() == "me":
            return queryset.filter(actor=request.user.get_username())
        return queryset.filter(actor_source=self.value()) if self.value() else queryset
