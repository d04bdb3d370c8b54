"""Who is let in where it is not simply everybody who may look. A page that only shows needs no line here.

In: "METHOD address", or "ANY address" for both. Out: who is let in. What is not named must be open to all roles (GET),
or answer a POST with the same page and do nothing, or be closed to all.
"""

from __future__ import annotations

ROLES = frozenset({"Viewer", "Auditor", "Operator", "Approver", "Admin"})
SIGNED_IN = ROLES | {"no role"}
ANYBODY = SIGNED_IN | {"anonymous"}
AUDITING = ROLES - {"Viewer"}

LET_IN: dict[str, frozenset[str]] = {
    # Before anybody signs in; machines prove themselves by a signature or a token.
    "ANY /": ANYBODY,
    "ANY /admin/account/welcome/<uidb64>/<token>/": ANYBODY,
    "GET /admin/account/sign-in/passkey/": ANYBODY,
    "ANY /admin/login/": ANYBODY,
    "ANY /admin/logout/": ANYBODY,
    "ANY /favicon.ico": ANYBODY,
    "ANY /healthz": ANYBODY,
    "ANY /metrics": ANYBODY,
    "ANY /readyz": ANYBODY,
    "ANY /webhooks/render/": ANYBODY,
    # One's own account, and addresses that know the method or the object for nobody.
    "ANY /admin/account/second-factor/": SIGNED_IN,
    "ANY /admin/account/second-factor/app/remove/": SIGNED_IN,
    "ANY /admin/account/second-factor/passkeys/add/": SIGNED_IN,
    "ANY /admin/account/second-factor/passkeys/<pk>/remove/": SIGNED_IN,
    "ANY /admin/account/second-factor/passkeys/<pk>/rename/": SIGNED_IN,
    "ANY /admin/account/second-factor/recovery-codes/": SIGNED_IN,
    "ANY /admin/account/second-factor/replace/": SIGNED_IN,
    "ANY /admin/account/sessions/": SIGNED_IN,
    "ANY /admin/account/sign-on/": ANYBODY,
    "ANY /admin/account/sign-on/callback/": ANYBODY,
    "ANY /admin/account/sign-on/link/": SIGNED_IN,
    "ANY /admin/account/sessions/end/": SIGNED_IN,
    "ANY /admin/account/sessions/<public_id>/end/": SIGNED_IN,
    "ANY /admin/account/time-zone/": SIGNED_IN,
    "ANY /admin/guide/": SIGNED_IN,
    "ANY /admin/guide/<name>/": SIGNED_IN,
    "ANY /admin/guide/pictures/<name>.webp": SIGNED_IN,
    "ANY /admin/account/tokens/": SIGNED_IN,
    "ANY /admin/account/tokens/<pk>/revoke/": SIGNED_IN,
    "ANY /admin/jsi18n/": SIGNED_IN,
    "ANY /admin/password_change/": SIGNED_IN,
    "ANY /admin/password_change/done/": SIGNED_IN,
    "ANY /admin/<app_label>/": SIGNED_IN,
    "ANY /admin/<url>": SIGNED_IN,
    "ANY /admin/django_q/ormq/<object_id>/history/": SIGNED_IN,
    "POST /admin/autocomplete/": SIGNED_IN,
    "GET /admin/ledger/entry/verify/": SIGNED_IN,
    "POST /admin/ledger/entry/export.<kind>": SIGNED_IN,
    # Acts that the service judges for each object, and that need no permission beyond looking.
    "POST /admin/backups/evidencereport/<pk>/download/<form>/": ROLES,
    "POST /admin/backups/proof/<object_id>/change/": ROLES,
    "POST /admin/backups/run/<pk>/manifest/": ROLES,
    "POST /admin/migrations_registry/migrationfile/<object_id>/change/": ROLES,
    "POST /admin/operations/operation/<pk>/act/<verb>/ (retry)": ROLES,
    "POST /admin/operations/operation/<pk>/act/<verb>/ (revoke)": ROLES,
    # Auditing.
    "POST /admin/doctor/": AUDITING,
    "GET /admin/ledger/entry/export.<kind>": AUDITING,
    "POST /admin/ledger/entry/verify/": AUDITING,
    "POST /admin/backups/storereport/<object_id>/change/": AUDITING - {"Approver"},
    # Voting.
    "POST /admin/operations/operation/<pk>/act/<verb>/ (approve)": frozenset({"Approver"}),
    "POST /admin/operations/operation/<pk>/act/<verb>/ (reject)": frozenset({"Approver"}),
    # Operating.
    "ANY /admin/backups/run/<pk>/csv/<table>/": frozenset({"Operator"}),
    "ANY /admin/backups/run/<pk>/segment/<position>/": frozenset({"Operator"}),
    "ANY /admin/deployments/edgefunction/upload/": frozenset({"Operator"}),
    "ANY /admin/migrations_registry/migrationfile/register/": frozenset({"Operator"}),
    "POST /admin/deployments/advisorfinding/<object_id>/change/": frozenset({"Operator"}),
    "POST /admin/operations/operation/request/<name>/": frozenset({"Operator"}),
    "POST /admin/recover/": frozenset({"Operator"}),
    "POST /admin/deployments/service/blueprint/<slug>/": frozenset({"Operator", "Admin"}),
    "POST /admin/deployments/service/parity/<slug>/": frozenset({"Operator", "Admin"}),
    "POST /admin/operations/operation/<pk>/act/<verb>/ (break-glass)": frozenset({"Operator", "Admin"}),
    "POST /admin/operations/operation/<pk>/act/<verb>/ (cancel)": frozenset({"Operator", "Admin"}),
    "POST /admin/migrations_registry/driftincident/<object_id>/change/": frozenset({"Operator", "Approver"}),
    "POST /admin/operations/task/<object_id>/change/": frozenset({"Operator", "Approver", "Admin"}),
    "POST /admin/operations/operation/notes/<about>/": frozenset({"Operator", "Approver", "Admin"}),
    "POST /admin/operations/task/<pk>/close/": frozenset({"Operator", "Approver", "Admin"}),
    # People, environments, policies.
    "ANY /admin/auth/user/": frozenset({"Admin"}),
    "ANY /admin/auth/user/<object_id>/change/": frozenset({"Admin"}),
    "ANY /admin/auth/user/<object_id>/history/": frozenset({"Admin"}),
    "ANY /admin/operations/accesstoken/": frozenset({"Admin"}),
    "GET /admin/operations/accesstoken/<object_id>/change/": frozenset({"Admin"}),
    "ANY /admin/operations/accesstoken/<object_id>/history/": frozenset({"Admin"}),
    "ANY /admin/auth/user/add/": frozenset({"Admin"}),
    "ANY /admin/backups/policy/add/": frozenset({"Admin"}),
    "POST /admin/doctor/outsiders/": frozenset({"Admin"}),
    "ANY /admin/connect/": frozenset({"Admin"}),
    "ANY /admin/demo/alarms/": frozenset({"Admin"}),
    "ANY /admin/operations/environment/add/": frozenset({"Admin"}),
    "POST /admin/backups/policy/<object_id>/change/": frozenset({"Admin"}),
    "POST /admin/deployments/deployment/setup/": frozenset({"Admin"}),
    "POST /admin/deployments/service/<object_id>/change/": frozenset({"Admin"}),
    "POST /admin/operations/environment/<object_id>/change/": frozenset({"Admin"}),
}

# What a role on one environment opens because it is about no environment, or asks for one.
BELONGS_NOWHERE = {
    "GET /admin/auth/user/<object_id>/change/",
    "GET /admin/backups/policy/add/",
    "POST /admin/backups/policy/add/",
    "GET /admin/connect/",
    "POST /admin/connect/",
    "GET /admin/deployments/edgefunction/upload/",
    "POST /admin/deployments/edgefunction/upload/",
    "GET /admin/migrations_registry/migrationfile/register/",
    "POST /admin/migrations_registry/migrationfile/register/",
    "POST /admin/recover/",
    # People: whoever is an Admin anywhere looks at them, and changes nobody.
    "GET /admin/auth/user/",
    "POST /admin/auth/user/",
    "GET /admin/auth/user/<object_id>/history/",
    "POST /admin/auth/user/<object_id>/history/",
}
