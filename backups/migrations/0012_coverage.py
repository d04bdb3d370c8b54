from django.db import migrations, models

import backups.models.policy


class Migration(migrations.Migration):
    dependencies = [
        ("backups", "0011_schedule_since"),
    ]

    operations = [
        migrations.AddField(
            model_name="policy",
            name="not_wanted",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Kept otherwise, or worth nothing: no alarm.",
                validators=[backups.models.policy.topics],
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="outside",
            field=models.JSONField(default=list, help_text="What stood besides tables, and whether the run holds it."),
        ),
    ]
