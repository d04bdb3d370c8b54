from django.db import migrations, models
from django.db.models.functions import Now

COLUMNS = [
    ("application", "started_at", {}),
    ("driftincident", "opened_at", {}),
    ("historyreading", "tried_at", {}),
    ("migrationfile", "discovered_at", {"editable": False}),
    ("plan", "made_at", {}),
    ("rehearsal", "ended_at", {}),
    ("rulepolicy", "created_at", {}),
    ("schemafingerprint", "seen_at", {"help_text": "When the schema was last seen to be still this."}),
    ("schemafingerprint", "taken_at", {}),
    ("sourcecommit", "read_at", {}),
    ("streambaseline", "made_at", {}),
    ("upload", "uploaded_at", {"editable": False}),
    ("waiver", "requested_at", {}),
]


class Migration(migrations.Migration):
    dependencies = [("migrations_registry", "0013_upload")]
    operations = [
        migrations.AlterField(model, name, models.DateTimeField(db_default=Now(), **more))
        for model, name, more in COLUMNS
    ]
