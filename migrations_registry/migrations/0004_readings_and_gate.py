"""Readings of migration histories and commits, and what the gate does when migrations are missing."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("migrations_registry", "0003_schema_and_applications"),
        ("operations", "0004_stricter_guards"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoryReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("read_at", models.DateTimeField(help_text="When the target last answered.", null=True)),
                ("tried_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("problem", models.TextField(blank=True, help_text="Why the last try did not answer; empty: it did.")),
                ("has_table", models.BooleanField(default=False)),
                (
                    "role",
                    models.CharField(
                        blank=True, help_text="The role that the portal reads and applies with.", max_length=100
                    ),
                ),
                (
                    "obstacle",
                    models.TextField(blank=True, help_text="Why this role cannot apply migrations; empty: it can."),
                ),
                (
                    "states",
                    models.JSONField(
                        default=dict, help_text="Per registered content: state, out of order, what was observed."
                    ),
                ),
                (
                    "unknown",
                    models.JSONField(
                        default=list, help_text="Rows of the target's history that no registered file explains."
                    ),
                ),
            ],
            options={
                "ordering": ["environment"],
                "permissions": [
                    ("look_historyreading", "Can ask to read the migration histories again"),
                    ("mark_historyreading", "Can ask to mark migrations as applied or not in a target's history"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SourceCommit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("repository", models.CharField(max_length=500)),
                ("commit", models.CharField(max_length=64)),
                (
                    "files",
                    models.JSONField(default=list, help_text="path, sha256, stream and version of each migration."),
                ),
                ("rejected", models.JSONField(default=list)),
                ("problem", models.TextField(blank=True)),
                ("read_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["-read_at"],
            },
        ),
        migrations.AddField(
            model_name="rulepolicy",
            name="gate",
            field=models.CharField(
                choices=[
                    ("warn", "Say it, never refuse a deploy"),
                    ("refuse", "Refuse a deploy to a protected environment while its migrations are missing there"),
                    ("strict", "The same, and also while nobody can read which are missing"),
                ],
                default="warn",
                max_length=6,
            ),
        ),
        migrations.AddConstraint(
            model_name="rulepolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("gate__in", ["warn", "refuse", "strict"])), name="rulepolicy_gate_known"
            ),
        ),
        migrations.AddField(
            model_name="historyreading",
            name="environment",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="history_reading", to="operations.environment"
            ),
        ),
        migrations.AddConstraint(
            model_name="sourcecommit",
            constraint=models.UniqueConstraint(fields=("repository", "commit"), name="sourcecommit_once"),
        ),
    ]
