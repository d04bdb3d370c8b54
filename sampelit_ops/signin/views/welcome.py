"""The end of a one-time link: set a password, be signed in, go on to the second factor."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpResponse
from django.urls import reverse_lazy

from ledger.services import record
from sampelit_ops.signin.forms import password_is_off
from sampelit_ops.signin.invitations import welcome_tokens
from sampelit_ops.signin.sessions import end_access


class Welcome(PasswordResetConfirmView):
    """Django's own reset view (it keeps the token out of the address and the referrer) with our tokens and page."""

    template_name = "account/welcome.html"
    token_generator = welcome_tokens
    post_reset_login = True
    post_reset_login_backend = "operations.authority.Roles"
    reset_url_token = "set-password"  # noqa: S105  a path segment, no secret
    success_url = reverse_lazy("account:second_factor")

    def form_valid(self, form: SetPasswordForm) -> HttpResponse:
        if password_is_off(form.user):
            form.add_error(
                "new_password1", "Passwords do not sign you in; the sign-in provider does. Nothing was changed."
            )
            return self.form_invalid(form)
        response = super().form_valid(form)
        record("signin.password_set", actor=form.user.username)
        here = self.request.session.session_key
        end_access(form.user, actor=form.user.username, why="the password changed", keep=here)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = {
            **admin.site.each_context(self.request),
            "has_permission": False,
            **super().get_context_data(**kwargs),
        }
        return {**context, "title": "Welcome to Sampelit Ops"}
