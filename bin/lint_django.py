"""`make lint`'s Django part: deployment checks as production would run them, and no missing database migration.

In: nothing. Out: exit 1 with Django's own words. It sets stand-in values, so that no real secret is needed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "sampelit_ops.settings",
    "DATABASE_URL": "postgresql://lint@127.0.0.1:9/lint",
    "SECRET_KEY": "lint-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ",
    "ALLOWED_HOSTS": "ops.example.com",
    "OPS_BASE_URL": "https://ops.example.com",
    "DEMO": "0",
}

import django
from django.core.management import call_command

django.setup()
call_command("check", deploy=True, fail_level="WARNING")
call_command("makemigrations", check=True, dry_run=True)
