from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("migrations_registry", "0006_commits_wanted")]

    operations = [
        migrations.AddField(
            model_name="plan",
            name="row_counts",
            field=models.JSONField(
                default=list, help_text="Rows that met each statement's condition when it was made."
            ),
        ),
    ]
