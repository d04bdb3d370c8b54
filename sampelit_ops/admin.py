"""People in the admin: Django's own user and group pages give way to ours."""

from sampelit_ops.signin import admin as _people  # noqa: F401
