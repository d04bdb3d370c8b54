"""Keys of authenticator apps are sealed under FACTOR_KEY, and recovery codes become slow hashes, sealed too.

Backwards the keys lie in clear again; the codes cannot come back, and their people make new ones.
"""

import json
import secrets

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from operations.models.factor_key import hashed, is_sealed, opened, sealed, sealed_totp_key

CODES = "SELECT d.user_id, t.token FROM otp_static_statictoken t JOIN otp_static_staticdevice d ON d.id = t.device_id"


def seal(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Raises Refused where there is something to seal and no key; nothing is changed then."""
    devices = apps.get_model("otp_totp", "TOTPDevice")._default_manager
    for pk, user_id, key in devices.values_list("pk", "user_id", "key"):
        if not is_sealed(key):
            devices.filter(pk=pk).update(key=sealed_totp_key(bytes.fromhex(key), user_id))
    rows = apps.get_model("operations", "RecoveryCodes")._default_manager
    for user_id, codes in _codes(schema_editor).items():
        salt = secrets.token_hex(16)
        kept = {"salt": salt, "hashes": [hashed(code, salt) for code in codes]}
        hashes = sealed(json.dumps(kept).encode(), f"recovery {user_id}")
        rows.create(user_id=user_id, name="recovery codes", hashes=hashes)


def _codes(schema_editor: BaseDatabaseSchemaEditor) -> dict[int, list[str]]:
    """Of django-otp's static devices, which are emptied; a new portal never had their tables."""
    by_person: dict[int, list[str]] = {}
    with schema_editor.connection.cursor() as cursor:
        if "otp_static_statictoken" in schema_editor.connection.introspection.table_names(cursor):
            cursor.execute(CODES)
            for user_id, code in cursor.fetchall():
                by_person.setdefault(user_id, []).append(code)
            cursor.execute("DELETE FROM otp_static_statictoken")
            cursor.execute("DELETE FROM otp_static_staticdevice")
    return by_person


def unseal(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    devices = apps.get_model("otp_totp", "TOTPDevice")._default_manager
    for pk, user_id, key in devices.values_list("pk", "user_id", "key"):
        if is_sealed(key):
            devices.filter(pk=pk).update(key=opened(key, f"totp {user_id}").hex())


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0012_token_scopes"),
        ("otp_totp", "0003_add_timestamps"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Authenticator",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("otp_totp.totpdevice",),
        ),
        migrations.CreateModel(
            name="Passkey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="The human-readable name of this device.", max_length=64)),
                ("confirmed", models.BooleanField(default=True, help_text="Is this device ready for use?")),
                (
                    "created_at",
                    models.DateTimeField(
                        auto_now_add=True,
                        help_text="The date and time when this device was initially created in the system.",
                        null=True,
                    ),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(
                        blank=True, help_text="The most recent date and time this device was used.", null=True
                    ),
                ),
                (
                    "credential_id",
                    models.CharField(help_text="base64url, as the browser names it.", max_length=1400, unique=True),
                ),
                ("public_key", models.TextField()),
                ("sign_count", models.BigIntegerField(default=0)),
                (
                    "synced",
                    models.BooleanField(default=False, help_text="Its authenticator may copy it to other devices."),
                ),
                ("transports", models.JSONField(default=list)),
                (
                    "user",
                    models.ForeignKey(
                        help_text="The user that this device belongs to.",
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["created_at"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="RecoveryCodes",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="The human-readable name of this device.", max_length=64)),
                ("confirmed", models.BooleanField(default=True, help_text="Is this device ready for use?")),
                (
                    "throttling_failure_timestamp",
                    models.DateTimeField(
                        blank=True,
                        default=None,
                        help_text="A timestamp of the last failed verification attempt. Null if last attempt succeeded.",
                        null=True,
                    ),
                ),
                (
                    "throttling_failure_count",
                    models.PositiveIntegerField(default=0, help_text="Number of successive failed attempts."),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        auto_now_add=True,
                        help_text="The date and time when this device was initially created in the system.",
                        null=True,
                    ),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(
                        blank=True, help_text="The most recent date and time this device was used.", null=True
                    ),
                ),
                ("hashes", models.TextField()),
                (
                    "user",
                    models.ForeignKey(
                        help_text="The user that this device belongs to.",
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("user",), name="recovery_codes_once")],
            },
        ),
        migrations.RunPython(seal, unseal),
    ]
