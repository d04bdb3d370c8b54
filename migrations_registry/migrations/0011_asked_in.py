from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("migrations_registry", "0010_backfill_paused")]

    operations = [
        migrations.AlterField(
            "application",
            "operation",
            models.CharField(help_text="Its key: the operation, or the act of one.", max_length=26, unique=True),
        ),
        migrations.AddField(
            "application",
            "asked_in",
            models.CharField(blank=True, help_text="The operation in which it was one of several.", max_length=26),
        ),
    ]
