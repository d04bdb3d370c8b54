from django.db import migrations, models
from django.db.models.functions import Now

COLUMNS = [
    ("checkpoint", "created_at"),
]


class Migration(migrations.Migration):
    dependencies = [("ledger", "0008_environments_name")]
    operations = [migrations.AlterField(model, name, models.DateTimeField(db_default=Now())) for model, name in COLUMNS]
