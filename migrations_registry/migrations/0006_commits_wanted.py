"""A page wants a commit, a worker reads it; a branch's name is longer than a commit."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("migrations_registry", "0005_measured_losses")]

    operations = [
        migrations.AddField(
            model_name="sourcecommit",
            name="wanted_at",
            field=models.DateTimeField(blank=True, help_text="A page asked for it; a worker reads it.", null=True),
        ),
        migrations.AlterField(
            model_name="sourcecommit",
            name="commit",
            field=models.CharField(help_text="Or a branch.", max_length=200),
        ),
    ]
