"""One's own new password: Django's form; the ledger learns of it, other sessions and all personal tokens end."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse_lazy

from ledger.services import record
from sampelit_ops.signin.sessions import end_access


class OwnPassword(PasswordChangeView):
    """Who takes a session over and keeps a token must lose it when its owner changes the password."""

    form_class = AdminPasswordChangeForm
    success_url = reverse_lazy("admin:password_change_done")

    @transaction.atomic
    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        response = super().form_valid(form)
        record("signin.password_changed", actor=form.user.username)
        here = self.request.session.session_key
        end_access(form.user, actor=form.user.username, why="the password changed", keep=here)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**admin.site.each_context(self.request), **super().get_context_data(**kwargs)}
