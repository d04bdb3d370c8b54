"""As long as an environment's name may be."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0007_stored_at")]
    operations = [
        migrations.AlterField("entry", "environment", models.CharField(max_length=60, blank=True)),
    ]
