from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("migrations_registry", "0009_undo")]

    operations = [
        migrations.AddField(
            "application",
            "paused_by",
            models.CharField(blank=True, help_text="Who lets its batches rest.", max_length=150),
        )
    ]
