"""What a file destroyed when it was tried as less than destructive, and was rolled back."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("migrations_registry", "0004_readings_and_gate")]

    operations = [
        migrations.AddField(
            model_name="migrationfile",
            name="measured_losses",
            field=models.JSONField(
                default=list,
                editable=False,
                help_text="What it destroyed when it was tried as less than destructive.",
            ),
        )
    ]
