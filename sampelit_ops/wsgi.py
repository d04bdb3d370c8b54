"""What gunicorn serves. What its process writes into the ledger came through the admin."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sampelit_ops.settings")
application = get_wsgi_application()

from ledger import channel  # noqa: E402 (needs the apps)
from sampelit_ops.checks import refuse_product_database  # noqa: E402 (needs the apps)

channel.use("admin")
refuse_product_database()
