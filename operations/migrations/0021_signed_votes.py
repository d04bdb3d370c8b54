from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("operations", "0020_owners"), ("ledger", "0007_stored_at")]

    operations = [
        migrations.AddField(
            model_name="passkeychallenge",
            name="nonce",
            field=models.CharField(db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="stepup",
            name="signed",
            field=models.JSONField(db_default={}, default=dict, help_text="What a passkey signed; of a code nothing."),
        ),
    ]
