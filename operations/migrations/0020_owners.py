from django.core.validators import URLValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("operations", "0019_signatures")]

    operations = [
        migrations.AddField(
            "environment",
            "owners",
            models.CharField(
                blank=True, default="", db_default="", help_text="Who answers for it: names or a team.", max_length=200
            ),
        ),
        migrations.AddField(
            "environment",
            "runbook_url",
            models.CharField(
                blank=True,
                default="",
                db_default="",
                help_text="What to do when it fails; {service} stands for a service's name.",
                max_length=500,
                validators=[URLValidator(schemes=["http", "https"])],
            ),
        ),
        migrations.AddConstraint(
            "environment",
            models.CheckConstraint(
                name="environment_runbook_url_http",
                condition=models.Q(runbook_url="") | models.Q(runbook_url__regex="^https?://"),
            ),
        ),
    ]
