from django.db import migrations, models
from django.db.models.functions import Now

COLUMNS = [
    ("accesstoken", "created_at", {}),
    ("approval", "approved_at", {}),
    ("environment", "created_at", {"editable": False}),
    ("notification", "created_at", {}),
    ("notification", "next_attempt_at", {"blank": True, "null": True}),
    ("operation", "requested_at", {}),
    ("sentform", "sent_at", {"editable": False}),
    ("stepup", "shown_at", {}),
    ("task", "opened_at", {}),
]


class Migration(migrations.Migration):
    dependencies = [("operations", "0022_begun")]
    operations = [
        migrations.AlterField(model, name, models.DateTimeField(db_default=Now(), **more))
        for model, name, more in COLUMNS
    ]
