"""Tokens from before scopes keep what they could do but voting: no vote of theirs asked for a fresh second factor."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import operations.models.token

BEFORE = ["read", "request", "admin"]


class Migration(migrations.Migration):
    dependencies = [("operations", "0011_step_up")]

    operations = [
        migrations.AddField(
            model_name="accesstoken",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=10), default=BEFORE, size=None
            ),
        ),
        migrations.AlterField(
            model_name="accesstoken",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=10), default=operations.models.token.least_scopes, size=None
            ),
        ),
        migrations.AddField(
            model_name="accesstoken",
            name="environment",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="access_tokens",
                to="operations.environment",
            ),
        ),
        migrations.AddField(
            model_name="accesstoken",
            name="last_used_from",
            field=models.CharField(blank=True, default="", max_length=100),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="accesstoken",
            name="used_from",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=100), blank=True, default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="accesstoken",
            name="standing_sha256",
            field=models.CharField(blank=True, default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="accesstoken",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("scopes__contained_by", ["read", "request", "vote", "admin"]), ("scopes__contains", ["read"])
                ),
                name="token_scopes_known",
            ),
        ),
    ]
