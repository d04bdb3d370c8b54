from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_signatures")]
    operations = [
        migrations.AddField(
            model_name="entry",
            name="stored_at",
            field=models.DateTimeField(
                editable=False, help_text="the database's own clock, whatever the writer says; not hashed", null=True
            ),
        ),
        migrations.RunSQL((SQL / "stored_at.sql").read_text(), (SQL / "drop_stored_at.sql").read_text()),
    ]
