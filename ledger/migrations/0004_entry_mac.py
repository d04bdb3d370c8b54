from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_no_truncate")]
    operations = [
        migrations.AddField(
            model_name="entry",
            name="mac",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="the portal's code over the hash", max_length=64
            ),
        ),
    ]
