"""A backup that one list lacks is not gone yet."""

from __future__ import annotations

from django.db import migrations, models

HELP = "First list without it; a second one ends it."


class Migration(migrations.Migration):
    dependencies = [("backups", "0012_coverage")]

    operations = [
        migrations.AddField(
            "providerbackup", "missing_since", models.DateTimeField(null=True, blank=True, help_text=HELP)
        ),
    ]
