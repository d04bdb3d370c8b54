"""Sign-in: second factor, sessions, invitations, people, personal tokens. `register()` runs when apps are ready."""

from __future__ import annotations


def register() -> None:
    """Put the account pages into the user menu, teach the ledger to speak about people, guard their names."""
    from django.contrib.auth.models import User

    from operations import accounts, navigation
    from operations.engine import tick
    from sampelit_ops.signin import ledger_sentences
    from sampelit_ops.signin.oidc.leavers import end_stale

    ledger_sentences.register()
    User._meta.get_field("username").validators.append(accounts.check_name)
    tick.every("signin.leavers", 3_600, end_stale)
    navigation.register_user_link("Second factor", "account:second_factor")
    navigation.register_user_link("Sessions", "account:sessions")
    navigation.register_user_link("Personal tokens", "account:tokens")
