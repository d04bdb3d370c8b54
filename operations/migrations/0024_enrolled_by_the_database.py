from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("operations", "0023_times_by_the_database")]
    operations = [
        migrations.AlterField(model, "created_at", models.DateTimeField(db_default=Now(), null=True, blank=True))
        for model in ("passkey", "recoverycodes")
    ]
