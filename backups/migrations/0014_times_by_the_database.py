from django.db import migrations, models
from django.db.models.functions import Now

COLUMNS = [
    ("evidencereport", "produced_at", {}),
    ("hold", "placed_at", {}),
    ("incident", "opened_at", {}),
    ("policy", "created_at", {"editable": False}),
    (
        "policy",
        "scheduled_at",
        {"editable": False, "help_text": "Since when this schedule holds; earlier slots were never due."},
    ),
    ("proof", "created_at", {}),
    ("providerbackup", "first_seen_at", {}),
    ("providerbackup", "seen_at", {}),
    ("restore", "started_at", {}),
    ("run", "started_at", {}),
    ("slot", "created_at", {}),
    ("storereport", "checked_at", {}),
]


class Migration(migrations.Migration):
    dependencies = [("backups", "0013_missing_since")]
    operations = [
        migrations.AlterField(model, name, models.DateTimeField(db_default=Now(), **more))
        for model, name, more in COLUMNS
    ]
