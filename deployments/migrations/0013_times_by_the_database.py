from django.db import migrations, models
from django.db.models.functions import Now

COLUMNS = [
    ("advisorfinding", "first_seen_at", {}),
    ("advisorfinding", "last_seen_at", {}),
    ("blueprintfile", "read_at", {}),
    ("configfingerprint", "changed_at", {}),
    ("configfingerprint", "seen_at", {}),
    ("deployment", "first_seen_at", {"editable": False}),
    ("edgefunction", "seen_at", {}),
    ("functionbundle", "kept_at", {}),
    ("functionversion", "live_at", {}),
    ("groupvariable", "changed_at", {}),
    ("healthcheck", "checked_at", {}),
    ("service", "first_seen_at", {"editable": False}),
    ("variablegroup", "seen_at", {}),
    ("webhookdelivery", "received_at", {}),
]


class Migration(migrations.Migration):
    dependencies = [("deployments", "0012_missing_since")]
    operations = [
        migrations.AlterField(model, name, models.DateTimeField(db_default=Now(), **more))
        for model, name, more in COLUMNS
    ]
