"""The sign-in form: name, password and, for whoever has a second factor, a code of it."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError

from ledger.services import record
from operations import authority
from operations.factors import devices, passkeys
from operations.models import AccessToken, RecoveryCodes
from operations.models.token_scopes import READ, SCOPES
from operations.tokens.standing import keep
from providers.errors import Refused
from sampelit_ops.signin import first_factor
from sampelit_ops.signin.role_changes import choices


def password_is_off(user: User) -> bool:
    few = settings.OIDC_PASSWORD_USERS
    return bool(settings.OIDC_ISSUER and few and user.get_username() not in few)


class OpsLoginForm(AdminAuthenticationForm):
    """Password and code are checked together; a wrong code counts towards the lock-out like a wrong password."""

    otp_token = forms.CharField(
        label="Code",
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
        help_text="Six digits of your authenticator app, or a recovery code. Empty if you have none yet.",
    )

    passkey_options = ""
    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": "That name and password do not fit. You are not signed in; five failures lock for a while.",
    }

    def confirm_login_allowed(self, user: Any) -> None:
        """Where the provider signs people in, passwords may be kept for the few who get in while it is away."""
        super().confirm_login_allowed(user)
        if password_is_off(user):
            raise ValidationError("Passwords do not sign you in; the sign-in provider does. You are not signed in.")

    def clean(self) -> dict[str, Any]:
        before = User.objects.filter(username=self.cleaned_data.get("username")).values_list("password", flat=True)[:1]
        stored = "".join(before)
        cleaned = super().clean()
        user = self.get_user()
        if user is not None:
            keep(user, stored)
            self._check_second_factor(user)
        return cleaned

    def _check_second_factor(self, user: User) -> None:
        if not devices.has_factor(user):
            return
        code = self.cleaned_data.get("otp_token", "")
        if not code:
            raise ValidationError(self._asked(user), code="token_required")
        try:
            user.otp_device = devices.verify(user, code)  # type: ignore[attr-defined]
        except Refused as refusal:
            name = {"username": user.get_username()}
            user_login_failed.send(sender=__name__, credentials=name, request=self.request)
            raise ValidationError(refusal.reason, code="invalid_token") from refusal
        if isinstance(user.otp_device, RecoveryCodes):  # type: ignore[attr-defined]
            record("signin.recovery_code_used", actor=user.get_username())

    def _asked(self, user: User) -> str:
        """The password was right: a person with passkeys is offered them on the page that comes back."""
        if self.request is None or not passkeys.of(user):
            return "Enter the code of your authenticator app as well."
        session = first_factor.remember(self.request, user)
        self.passkey_options = passkeys.request(user, session, passkeys.SIGN_IN)
        return "Use your passkey, or enter password and a code."


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}),
    )


class TokenForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=[(scope, f"{scope}: {what}") for scope, what in SCOPES.items()],
        initial=[READ],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="At most what your roles allow. Whatever it does, it may also look.",
    )
    days = forms.IntegerField(label="Valid for (days)", min_value=1)

    class Meta:
        model = AccessToken
        fields = ["name", "environment"]
        labels = {"name": "What it is for"}
        help_texts = {"environment": "It then acts there alone. Looking is not divided."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["days"].initial = min(30, settings.OPS_TOKEN_DAYS)
        self.fields["days"].help_text = f"At most {settings.OPS_TOKEN_DAYS}."
        cast(forms.ModelChoiceField, self.fields["environment"]).empty_label = "wherever your roles are held"


class InvitationForm(forms.ModelForm):
    """A new person: name, address and roles. They set their password themselves through a one-time link."""

    email = forms.EmailField(label="E-mail")
    roles = forms.MultipleChoiceField(
        label="Roles",
        widget=forms.CheckboxSelectMultiple,
        help_text="A role on one environment acts there alone; whoever has a role looks at everything.",
    )

    class Meta:
        model = User
        fields = ["username", "first_name", "last_name", "email"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "roles" in self.fields:
            held = authority.roles(self.instance) if self.instance.pk else []
            field = cast(forms.MultipleChoiceField, self.fields["roles"])
            field.choices, field.initial = choices(held), held

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        if User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise ValidationError("Somebody with this address exists already. Nobody was invited.")
        return email
