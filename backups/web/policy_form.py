"""The form of a policy: tables as lines, and a list to pick from with the sizes of the live catalogue.

In: a Policy. Out: the same with its tables. Where the catalogue cannot be read, the lines are enough.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from backups.models import Policy
from backups.web.coverage import sizes_of
from operations.web import html


class PolicyForm(forms.ModelForm):
    lines = forms.CharField(
        label="Tables",
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="One a line: table, schema.table, schema.* or * for all of ours.",
    )
    picked = forms.MultipleChoiceField(label="Pick from the live catalogue", required=False)

    class Meta:
        model = Policy
        fields = [
            "environment", "name", "description", "closure", "format", "enabled", "cron", "time_zone",
            "grace_minutes", "ping_url_env", "second_store_env",
            "keep_last", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly", "keep_unproven_days",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = list(self.instance.tables or [])
        self.fields["lines"].initial = "\n".join(names)
        sizes, problem = sizes_of(self.instance.environment) if self.instance.pk else ({}, "Save the policy first.")
        field = self.fields["picked"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - declared above
        field.choices = [(name, f"{name} ({html.size(size)})") for name, size in sizes.items() if name not in names]
        field.widget.attrs["size"] = 8
        field.help_text = problem or "Added to the lines when saved; largest first."

    def clean(self) -> dict[str, Any]:
        """Lines and picks together, each once, in the order given."""
        cleaned = super().clean() or {}
        lines = [line.strip() for line in cleaned.get("lines", "").splitlines() if line.strip()]
        names = list(dict.fromkeys([*lines, *cleaned.get("picked", [])]))
        if not names:
            raise ValidationError("Name at least one table.")
        self.instance.tables = names
        return cleaned
