"""What one answer lacks stays: variables, secrets, links of groups and findings note since when they are missing."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import CASCADE

ASKED = "First 404 for it; a second one removes it."
LISTED = "First list without it; a second removes it."
SAID = "First answer without it."


def missing(model: str, told: str) -> migrations.AddField:
    return migrations.AddField(model, "missing_since", models.DateTimeField(null=True, blank=True, help_text=told))


LINK = migrations.CreateModel(
    "GroupLink",
    fields=[
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("variablegroup", models.ForeignKey("deployments.variablegroup", CASCADE, related_name="links")),
        ("service", models.ForeignKey("deployments.service", CASCADE, related_name="links")),
    ],
    options={
        "db_table": "deployments_variablegroup_services",
        "unique_together": {("variablegroup", "service")},
        "default_permissions": (),
    },
)
THROUGH = migrations.AlterField(
    "variablegroup",
    "services",
    models.ManyToManyField("deployments.service", through="deployments.GroupLink", related_name="groups", blank=True),
)


class Migration(migrations.Migration):
    dependencies = [("deployments", "0011_gone_by_word")]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[LINK, THROUGH]),
        missing("grouplink", LISTED),
        missing("configfingerprint", ASKED),
        missing("groupvariable", ASKED),
        missing("edgesecret", LISTED),
        missing("advisorfinding", SAID),
    ]
