"""The form of a request: one field a parameter of the kind, the environment before them, the reason after them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from operations.engine import kinds, specs
from operations.models import Environment

MOST_CHARACTERS, MOST_OF_LINES = 500, 20_000


class SecretLines(forms.Textarea):
    """Asked anew rather than sent back, as a password is."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class Lines(forms.CharField):
    """As they were before a browser sent them."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class Suggested(forms.TextInput):
    """A text field with a list to choose from; another value may be typed."""

    def __init__(self, name: str, offers: list[tuple[str, str]]) -> None:
        super().__init__({"list": f"suggested-{name}", "autocomplete": "off"})
        self.offers = offers

    def render(self, *args: Any, **options: Any) -> SafeString:
        offered = format_html_join("", '<option value="{}">{}</option>', self.offers)
        field = super().render(*args, **options)
        return format_html('{}<datalist id="{}">{}</datalist>', field, self.attrs["list"], offered)


class RequestForm(forms.Form):
    """Fields of the kind's parameters, then the reason; values come from the query string first."""

    environment = forms.ModelChoiceField(Environment.objects.all(), to_field_name="slug", empty_label=None)
    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 2}), required=False, help_text="Goes to the approvers and the ledger."
    )

    def __init__(
        self,
        kind: kinds.OperationKind,
        environment: Environment,
        *args: Any,
        places: Sequence[Environment] = (),
        secrets: bool = True,
        **options: Any,
    ) -> None:
        """`places` are offered besides. Without `secrets` these are not asked yet: they are typed once, when everything
        else was seen."""
        super().__init__(*args, **{**options, "label_suffix": ""})
        for parameter in kind.parameters:
            if (secrets or not parameter.secret) and not parameter.worked_out:
                self.fields[parameter.name] = _field(parameter, environment)
        choice = self.fields["environment"]
        assert isinstance(choice, forms.ModelChoiceField)  # noqa: S101 (for mypy)
        choice.choices = [(place.slug, str(place)) for place in places or [environment]]
        self.fields["reason"].required = kind.needs_reason
        self.order_fields(["environment", *[parameter.name for parameter in kind.parameters], "reason"])

    def parameters(self, kind: kinds.OperationKind) -> specs.Parameters:
        return {
            parameter.name: self.cleaned_data[parameter.name]
            for parameter in kind.parameters
            if self.cleaned_data.get(parameter.name)
        }


def _field(parameter: specs.Parameter, environment: Environment) -> forms.Field:
    label = parameter.label or parameter.name.replace("_", " ").capitalize()
    if parameter.choices is not None:
        choices = list(parameter.choices(environment))
        nothing = "–" if choices else f"none known on {environment}"
        head = [] if parameter.required and choices else [("", nothing)]
        return forms.ChoiceField(
            choices=head + choices, required=parameter.required, label=label, help_text=parameter.help
        )
    told: dict[str, Any] = {"required": parameter.required, "label": label, "help_text": parameter.help}
    if parameter.lines:
        kind = SecretLines if parameter.secret else forms.Textarea
        return Lines(**told, widget=kind(attrs={"rows": 8}), max_length=MOST_OF_LINES, strip=False)
    widget: forms.Widget | None = forms.PasswordInput() if parameter.secret else None
    if parameter.suggestions is not None:
        widget = Suggested(parameter.name, list(parameter.suggestions(environment)))
    return forms.CharField(**told, widget=widget, max_length=MOST_CHARACTERS)
