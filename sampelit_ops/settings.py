"""All configuration, from the environment only (django-environ). `.env.example` explains every variable.

In: environment variables. Out: Django settings. Nothing here reads a file or starts a process; `manage.py` and the
launcher put the demo's variables into the environment first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

from providers.storage.factory import django_storage
from sampelit_ops.settings_fixed import *  # noqa: F403
from sampelit_ops.settings_fixed import BASE_DIR, INSTALLED_APPS
from sampelit_ops.signin.client_address import RENDER_NETWORKS
from sampelit_ops.signin.oidc.variables import *  # noqa: F403
from sampelit_ops.variables import *  # noqa: F403
from sampelit_ops.variables import hosts_of, portal_database

env = environ.Env()

# --- who we are ---
DEMO = env.bool("DEMO", default=False)
RENDER = bool(env.str("RENDER", default=""))  # set by Render itself
OPS_BASE_URL = env.str("OPS_BASE_URL", default=env.str("RENDER_EXTERNAL_URL", default="http://127.0.0.1:8000"))
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=hosts_of(OPS_BASE_URL, env.str("RENDER_EXTERNAL_HOSTNAME", default=""))
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
DATA_DIR = Path(env.str("OPS_DATA_DIR", default=str(BASE_DIR / ".data")))

# --- the portal's own database; the product's is never here (docs/design.md 2) ---
DATABASES = {"default": portal_database(env.str("DATABASE_URL", default="postgresql:///sampelit_ops"))}

if DEMO:
    INSTALLED_APPS = [*INSTALLED_APPS, "sandbox"]

STATIC_URL = "static/"
STATIC_ROOT = None if DEMO else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]

# --- sign-in and headers ---
SECURE = not DEMO
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if RENDER else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "ops_session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "ops_csrf"
DEVICE_COOKIE_NAME = "__Host-device" if SECURE else "ops_device"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "sampelit_ops.views.errors.csrf_failure"
SESSION_IDLE_SECONDS = 3_600
SESSION_ABSOLUTE_SECONDS = SESSION_COOKIE_AGE = 43_200
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
PASSWORD_RESET_TIMEOUT = 72 * 3_600  # one-time links of invitations
LOGIN_URL = "admin:login"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_RESET_ON_SUCCESS = True
# Our own proxies, by their networks; Render's and its edges' there, none elsewhere.
OPS_PROXY_NETWORKS = env.list("OPS_PROXY_NETWORKS", default=list(RENDER_NETWORKS) if RENDER else [])
AXES_HANDLER = "sampelit_ops.signin.name_limit.NameLimit"
AXES_CLIENT_IP_CALLABLE = "sampelit_ops.signin.client_address.client_network"
AXES_LOCKOUT_CALLABLE = "sampelit_ops.signin.lockout.locked"
AXES_ENABLE_ADMIN = False
# Passkeys belong to a name, never to an address: at home that name is localhost.
PASSKEY_ORIGIN = OPS_BASE_URL.rstrip("/").replace("//127.0.0.1", "//localhost").replace("//[::1]", "//localhost")
PASSKEY_RP_ID = urlsplit(PASSKEY_ORIGIN).hostname or "localhost"
# Signed votes that what destroys needs, whatever rows say; nobody has an aged passkey in a demo.
OPS_PASSKEY_VOTES = env.int("OPS_PASSKEY_VOTES", default=0 if DEMO else 1)
OTP_TOTP_ISSUER = "Sampelit Ops"
OTP_TOTP_SYNC = False  # a code of the next half minute counts, but never moves the window of the one after
# --- operations: every period is a setting, so tests can shorten it (docs/design.md 8) ---
OPS_LEASE_SECONDS = env.float("OPS_LEASE_SECONDS", default=60)
OPS_HEARTBEAT_SECONDS = env.float("OPS_HEARTBEAT_SECONDS", default=10)
OPS_TICK_SECONDS = env.float("OPS_TICK_SECONDS", default=10)
OPS_CANARY_SECONDS = env.float("OPS_CANARY_SECONDS", default=30)
OPS_REWAKE_SECONDS = env.float("OPS_REWAKE_SECONDS", default=60)
OPS_RETRY_SECONDS = env.float("OPS_RETRY_SECONDS", default=10)
OPS_STOP_SECONDS = env.float("OPS_STOP_SECONDS", default=25)
OPS_MAX_ATTEMPTS, OPS_REQUEST_TTL_HOURS = env.int("OPS_MAX_ATTEMPTS", default=5), 72
OPS_REHEARSAL_MOST_BYTES = env.int("OPS_REHEARSAL_MOST_BYTES", default=10 * 2**30)  # of a run's rows; above: its schema
# Which queue carries a pool's messages. One process may serve `export` and `prove`; `urgent` always has its own, and so
# has `deploy`: its steps only ask and wait, so it has more workers (docs/adr/0003-a-pool-for-deploys.md).
OPS_PROVE_QUEUE = env.str("OPS_PROVE_QUEUE", default="prove")
OPS_QUEUES = {"export": "export", "prove": OPS_PROVE_QUEUE, "urgent": "urgent", "deploy": "deploy"}
OPS_WORKERS = env.int("OPS_WORKERS", default=2)
OPS_DEPLOY_WORKERS = env.int("OPS_DEPLOY_WORKERS", default=2 * OPS_WORKERS)
OPS_QUEUE_WORKERS = {"deploy": OPS_DEPLOY_WORKERS}  # others have OPS_WORKERS
Q_CLUSTER: dict[str, Any] = {  # of django-q2 the table alone is used: operations/worker/cluster.py takes from it
    "name": "export",
    "orm": "default",
    "timeout": 43_200,
    "retry": 172_800,
    "bulk": 1,
    "poll": 0.5,
    "max_attempts": 1,
    "catch_up": False,
    "scheduler": False,
    "save_limit": 200,
    "label": "Queue",
}
OPS_METRICS_TOKEN = env.str("OPS_METRICS_TOKEN", default="")
OPS_ADVISORIES = env.bool("OPS_ADVISORIES", default=not DEMO)  # ask daily what is known against our versions
# Where each ledger entry goes within a minute: syslog+tls://host:port, syslog+tcp:// on this machine, https://host/path.
OPS_LEDGER_COLLECTOR = env.str("OPS_LEDGER_COLLECTOR", default="")
OPS_LEDGER_COLLECTOR_TOKEN = env.str("OPS_LEDGER_COLLECTOR_TOKEN", default="")
OPS_LEDGER_COLLECTOR_CA = env.str("OPS_LEDGER_COLLECTOR_CA", default="")  # a file, if not the system's certificates

# --- backups ---
# file:///dir or s3://bucket/prefix?endpoint=URL&region=R; credentials only from AWS_* (docs/design.md 11).
BACKUP_STORE = env.str("BACKUP_STORE", default=(DATA_DIR.absolute() / "backups").as_uri())
BACKUP_AGE_RECIPIENTS = env.list("BACKUP_AGE_RECIPIENTS", default=[])
BACKUP_AGE_IDENTITY = env.str("BACKUP_AGE_IDENTITY", default="")
BACKUP_SIGNING_KEY = env.str("BACKUP_SIGNING_KEY", default="")
BACKUP_PUBLIC_KEYS = env.list("BACKUP_PUBLIC_KEYS", default=[])
# Only the prove worker holds these: a key that may delete what retention has retired for seven days.
BACKUP_REAPER_AWS_ACCESS_KEY_ID = env.str("BACKUP_REAPER_AWS_ACCESS_KEY_ID", default="")
BACKUP_REAPER_AWS_SECRET_ACCESS_KEY = env.str("BACKUP_REAPER_AWS_SECRET_ACCESS_KEY", default="")
BACKUP_WITNESS_STORE = env.str("BACKUP_WITNESS_STORE", default="")  # a second bucket for the weekly signed head
OPS_SEAL_IDENTITY = env.str("OPS_SEAL_IDENTITY", default="")
OPS_SEAL_RECIPIENT = env.str("OPS_SEAL_RECIPIENT", default="")  # its public half, for the web service
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA_DIR / "media"}},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEMO  # no collectstatic between you and the demo: whitenoise serves from the source tree
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
STORAGES["backups"] = django_storage(BACKUP_STORE)
WHITENOISE_USE_FINDERS = DEMO

# --- providers ---
RENDER_API_KEY = env.str("RENDER_API_KEY", default="")
RENDER_API_BASE = env.str("RENDER_API_BASE", default="https://api.render.com/v1")
RENDER_WEBHOOK_SECRET = env.str("RENDER_WEBHOOK_SECRET", default="")
RENDER_SELF_SERVICE_ID = env.str("RENDER_SERVICE_ID", default="")  # set by Render where the portal itself runs there
RENDER_POLL_SECONDS = env.float("RENDER_POLL_SECONDS", default=30)
HEALTH_PROBE_SECONDS = env.float("HEALTH_PROBE_SECONDS", default=30)
HEALTH_GOOD_PROBES = env.int("HEALTH_GOOD_PROBES", default=3)
HEALTH_WITNESS_URLS = env.list("HEALTH_WITNESS_URLS", default=[] if DEMO else ["https://cloudflare.com/cdn-cgi/trace"])
HEALTH_DECIDE_PROBES = env.int("HEALTH_DECIDE_PROBES", default=30)
DEPLOY_WATCH_SECONDS = env.float("DEPLOY_WATCH_SECONDS", default=3)
SUPABASE_ACCESS_TOKEN = env.str("SUPABASE_ACCESS_TOKEN", default="")
SUPABASE_API_BASE = env.str("SUPABASE_API_BASE", default="https://api.supabase.com")
SUPABASE_TOKEN_EXPIRES = env.str("SUPABASE_TOKEN_EXPIRES", default="")
SUPABASE_WATCH_SECONDS = env.float("SUPABASE_WATCH_SECONDS", default=5)
SUPABASE_SYNC_SECONDS = env.float("SUPABASE_SYNC_SECONDS", default=300)
# Where a commit's migrations are read from, where that is not the service's own repository: a mirror or a directory.
MIGRATIONS_SOURCE = env.str("MIGRATIONS_SOURCE", default="")

EMAIL_BACKEND = (
    "providers.http.smtp.EmailBackend"
    if env.str("EMAIL_HOST", default="")
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_PORT = env.int("EMAIL_PORT", default=587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = True
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="ops@localhost")
EMAIL_TIMEOUT = 10
NOTIFY_EMAILS = env.list("NOTIFY_EMAILS", default=[])
OPS_SECOND_CHANNEL = env.list("OPS_SECOND_CHANNEL", default=[])  # slack, webhook, email, or addresses: what is urgent
SLACK_WEBHOOK_URL = env.str("SLACK_WEBHOOK_URL", default="")
NOTIFY_WEBHOOK_URL = env.str("NOTIFY_WEBHOOK_URL", default="")
NOTIFY_WEBHOOK_SECRET = env.str("NOTIFY_WEBHOOK_SECRET", default="")  # whsec_…, signs what goes to NOTIFY_WEBHOOK_URL
DEADMAN_PING_URL = env.str("DEADMAN_PING_URL", default="")  # pinged every minute while everything is well

# --- logs: one JSON object a line on stderr, secrets redacted ---
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "providers.redact.RedactingFilter"}},
    "formatters": {"json": {"()": "sampelit_ops.logging.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["redact"]}},
    "root": {"handlers": ["stderr"], "level": env.str("OPS_LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        "axes": {"level": "WARNING"},
        "django-q": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},  # a line a message is noise
    },
}
