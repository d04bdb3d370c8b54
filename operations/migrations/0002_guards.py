"""What Django cannot express: the composite foreign key of a vote, and triggers that hold what was asked."""

from pathlib import Path

from django.db import migrations

FORWARD = (Path(__file__).parent / "sql_guards.sql").read_text()
BACKWARD = """
DROP TRIGGER operations_operation_born ON operations_operation;
DROP FUNCTION operations_operation_born();
DROP TRIGGER operations_operation_guard ON operations_operation;
DROP FUNCTION operations_operation_guard();
ALTER TABLE operations_approval DROP CONSTRAINT approval_votes_on_what_was_asked;
"""


class Migration(migrations.Migration):
    dependencies = [("operations", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
