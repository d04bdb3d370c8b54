from pathlib import Path

from django.db import migrations, models

DROP = """
DROP TRIGGER operations_operation_begun_new ON operations_operation;
DROP TRIGGER operations_operation_begun_older ON operations_operation;
DROP FUNCTION operations_operation_begun();
"""


class Migration(migrations.Migration):
    dependencies = [("operations", "0021_signed_votes")]

    operations = [
        migrations.AddField(
            model_name="operation",
            name="begun",
            field=models.CharField(db_default="", default="", editable=False, max_length=64),
        ),
        migrations.RunSQL((Path(__file__).parent / "sql_begun.sql").read_text(), DROP),
    ]
