import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sampelit_ops", "0002_identity")]

    operations = [
        migrations.AddField(
            model_name="identity", name="refreshed_at", field=models.DateTimeField(default=django.utils.timezone.now)
        ),
    ]
