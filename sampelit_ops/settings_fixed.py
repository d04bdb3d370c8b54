"""What is the same everywhere: apps, middleware, templates, language, passwords, content security policy.

In: nothing. Out: constants that `settings.py` takes over; what the environment decides stands there.
"""

from __future__ import annotations

from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "axes",
    "csp",
    "django_q",
    "ledger",
    "operations",
    "deployments",
    "backups",
    "migrations_registry",
    "sampelit_ops",
    "sampelit_ops.apps.OpsAdminConfig",
]
MIDDLEWARE = [
    "sampelit_ops.logging.RequestIdMiddleware",
    "sampelit_ops.web.request_bounds.RequestBounds",
    "sampelit_ops.web.one_moment.OneMoment",
    "django.middleware.gzip.GZipMiddleware",  # CSRF tokens are masked anew each time, so BREACH learns nothing
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "sampelit_ops.signin.middleware.ResponseHeaders",
    "sampelit_ops.signin.middleware.RefusalLog",
    "sampelit_ops.signin.middleware.SessionLimits",
    "sampelit_ops.signin.middleware.SecondFactor",
    "operations.web.form_key.OneTimeForms",
    "operations.web.step_up.StepUpPages",
]
# Addresses whose forms carry no one-time key, and why. Machines and the shell send no forms.
_LOOKS, _ONCE = "changes nothing", "a password or a code guards it, and works once"
FORMS_WITHOUT_KEY = {
    "admin:login": _ONCE,
    "admin:logout": "done twice it is done once",
    "admin:password_change": _ONCE,
    "admin:doctor": _LOOKS,
    "admin:connect": _LOOKS,
    "admin:ledger_verify": _LOOKS,
    "admin:deployments_blueprint": _LOOKS,
    "account:second_factor": _ONCE,
    "account:time_zone": "chosen twice it is chosen once",
    "account:replace_second_factor": _ONCE,
    "account:add_passkey": _ONCE,
    "account:passkey_sign_in": _ONCE,
    "account:welcome": _ONCE,
}
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "operations.authority.Roles",
]
SESSION_ENGINE = "sampelit_ops.models"
ROOT_URLCONF = "sampelit_ops.urls"
WSGI_APPLICATION = "sampelit_ops.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
FORMAT_MODULE_PATH = ["sampelit_ops.formats"]
USE_TZ = True
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "sampelit_ops.signin.passwords.OwnWordsValidator"},
]
PASSWORD_HASHERS = [
    "sampelit_ops.signin.hashers.Argon2id",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # kept before; hashed anew at the next sign-in
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "manifest-src": ["'self'"],
    }
}
