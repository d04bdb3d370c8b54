from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("deployments", "0005_search_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="functionbundle",
            name="removed_at",
            field=models.DateTimeField(blank=True, help_text="Its bytes were let go then; the row stays.", null=True),
        ),
    ]
