"""Settings of accounts and of sign-in by a provider; `.env.example` explains each, settings.py takes them over."""

from __future__ import annotations

import environ

env = environ.Env()
OPS_TOKEN_DAYS = env.int("OPS_TOKEN_DAYS", default=90)  # the longest life of a personal token
OPS_FACTOR_FOR = env.str("OPS_FACTOR_FOR", default="everybody")  # or "acting": who only looks needs no second factor
SIGNIN_FAILURES_OF_A_NAME = 20  # from all addresses together, within the cool-off
# Sign-in by an OpenID provider, on where the issuer is set: code with PKCE, roles by group (docs/security.md).
OIDC_ISSUER = env.str("OIDC_ISSUER", default="")
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = env.str("OIDC_CLIENT_SECRET", default="")
OIDC_NAME = env.str("OIDC_NAME", default="") or "your organisation"
OIDC_SCOPES = env.list("OIDC_SCOPES", default=["openid", "profile", "email"])
OIDC_GROUPS_CLAIM = env.str("OIDC_GROUPS_CLAIM", default="groups")
OIDC_ROLES = env.list("OIDC_ROLES", default=[])  # group=Role or group=Role@environment
OIDC_TRUSTED_MFA = env.list("OIDC_TRUSTED_MFA", default=[])  # values of amr or acr that mean a second factor
OIDC_REFRESH_DAYS = env.int("OIDC_REFRESH_DAYS", default=14)  # so long roles last without a sign-in that tells groups
# Where it is not empty, passwords sign in nobody else: the admins who get in while the provider is away.
OIDC_PASSWORD_USERS = env.list("OIDC_PASSWORD_USERS", default=[])
