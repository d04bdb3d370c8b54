"""Where the first reading of a service's deploys goes on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("deployments", "0009_trouble"),
    ]

    operations = [
        migrations.AddField(
            model_name="service",
            name="history_cursor",
            field=models.CharField(
                blank=True, default="", help_text="Where the first reading goes on.", max_length=500
            ),
            preserve_default=False,
        ),
    ]
