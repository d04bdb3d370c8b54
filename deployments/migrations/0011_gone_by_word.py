"""Functions and groups that were not found once are asked for again before they count as gone."""

from __future__ import annotations

from django.db import migrations, models

HELP = "First 404 for it; a second one removes it."


class Migration(migrations.Migration):
    dependencies = [("deployments", "0010_history_cursor")]

    operations = [
        migrations.AddField(
            "edgefunction", "missing_since", models.DateTimeField(null=True, blank=True, help_text=HELP)
        ),
        migrations.AddField(
            "variablegroup", "missing_since", models.DateTimeField(null=True, blank=True, help_text=HELP)
        ),
        migrations.AlterField(
            "edgefunction",
            "removed_at",
            models.DateTimeField(null=True, blank=True, help_text="Supabase no longer has it."),
        ),
    ]
