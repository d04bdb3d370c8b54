"""A registered content never changes: its digest is checked, and a trigger refuses to rewrite or delete it."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = (Path(__file__).parent / "sql_guards.sql").read_text()
UNDO = """
DROP TRIGGER migrationfile_immutable ON migrations_registry_migrationfile;
DROP FUNCTION migrations_registry_refuse_change();
ALTER TABLE migrations_registry_migrationfile DROP CONSTRAINT migrationfile_sha256_of_content;
"""


class Migration(migrations.Migration):
    dependencies = [("migrations_registry", "0001_initial")]
    operations = [migrations.RunSQL(SQL, UNDO)]
