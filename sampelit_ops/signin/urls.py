"""The account pages, under /admin/account/."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path

from sampelit_ops.signin.views import passkeys, preferences, second_factor, sessions, sign_on, tokens
from sampelit_ops.signin.views.welcome import Welcome

View = Callable[..., HttpResponse]
app_name = "account"


def _signed_in(view: View) -> View:
    """Decide at request time: the admin site is ready only after the addresses are."""

    def guarded(request: HttpRequest, **kwargs: int | str) -> HttpResponse:
        return admin.site.admin_view(view)(request, **kwargs)

    guarded.__name__ = view.__name__
    guarded.__doc__ = view.__doc__
    return guarded


urlpatterns = [
    path("second-factor/", _signed_in(second_factor.second_factor), name="second_factor"),
    path("second-factor/replace/", _signed_in(second_factor.replace), name="replace_second_factor"),
    path("second-factor/recovery-codes/", _signed_in(second_factor.recovery_codes), name="recovery_codes"),
    path("second-factor/app/remove/", _signed_in(second_factor.remove_app), name="remove_app"),
    path("second-factor/passkeys/add/", _signed_in(passkeys.add), name="add_passkey"),
    path("second-factor/passkeys/<int:pk>/rename/", _signed_in(passkeys.rename), name="rename_passkey"),
    path("second-factor/passkeys/<int:pk>/remove/", _signed_in(passkeys.remove), name="remove_passkey"),
    path("sign-in/passkey/", passkeys.sign_in, name="passkey_sign_in"),
    path("sign-on/", sign_on.begin, name="oidc_begin"),
    path("sign-on/callback/", sign_on.callback, name="oidc_callback"),
    path("sign-on/link/", _signed_in(sign_on.link), name="oidc_link"),
    path("sessions/", _signed_in(sessions.sessions), name="sessions"),
    path("sessions/end/", _signed_in(sessions.end), name="end_sessions"),
    path("sessions/<slug:public_id>/end/", _signed_in(sessions.end), name="end_session"),
    path("time-zone/", _signed_in(preferences.time_zone), name="time_zone"),
    path("tokens/", _signed_in(tokens.tokens), name="tokens"),
    path("tokens/<int:pk>/revoke/", _signed_in(tokens.revoke), name="revoke_token"),
    path("welcome/<uidb64>/<token>/", Welcome.as_view(), name="welcome"),
]
