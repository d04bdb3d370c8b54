from django.db import migrations, models
from django.db.models.functions import Now

COLUMNS = [
    ("identity", "created_at"),
    ("identity", "refreshed_at"),
]


class Migration(migrations.Migration):
    dependencies = [("sampelit_ops", "0004_preference")]
    operations = [migrations.AlterField(model, name, models.DateTimeField(db_default=Now())) for model, name in COLUMNS]
