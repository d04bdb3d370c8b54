from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("migrations_registry", "0011_asked_in")]

    operations = [
        migrations.AddField("rulepolicy", "keep_bytes", models.PositiveBigIntegerField(default=20 * 2**30)),
    ]
