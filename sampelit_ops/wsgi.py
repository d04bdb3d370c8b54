"""What gunicorn serves, loaded once in its master. What its processes write into the ledger came through the admin."""

from __future__ import annotations

import os
import sys

from django.core.wsgi import get_wsgi_application

from providers.secret_environment import conceal

conceal()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sampelit_ops.settings")
application = get_wsgi_application()

from django.db import connections  # noqa: E402 (needs the settings)
from django.urls import get_resolver  # noqa: E402 (needs the settings)

from ledger import channel  # noqa: E402 (needs the apps)
from sampelit_ops.checks import refuse_unsafe_start  # noqa: E402 (needs the apps)

channel.use("admin")
try:
    refuse_unsafe_start()
except SystemExit as refusal:
    print(refusal, file=sys.stderr, flush=True)
    refusal.code = 3  # gunicorn's "failed to boot": it ends, any other code makes it try again and again
    raise
get_resolver().url_patterns  # noqa: B018 (loads every page, once for all of gunicorn's workers)
connections.close_all()
