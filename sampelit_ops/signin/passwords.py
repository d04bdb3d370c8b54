"""Which words are no secret here: a password made of what everybody knows of this portal is refused.

In: a password somebody chose. Out: nothing, or ValidationError. Listed in docs/security.md (ASVS 5.0, 6.1.2).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

OWN_WORDS = (
    *("sampelit", "operations", "portal", "render", "supabase", "postgresql", "postgres", "backup", "migration"),
    *("deployment", "deploy", "production", "staging", "operator", "approver", "auditor", "viewer", "admin", "ops"),
    *("password", "passwort", "secret", "welcome", "letmein", "change", "summer", "winter", "spring", "autumn"),
)
_LEAST_LETTERS = 6  # what must be left without those words, digits and signs
_LEAST_CHARACTERS = 10  # different ones, of a password that is digits and signs alone, as a generated one may be


class OwnWordsValidator:
    """Refuses what has fewer than six letters of its own beside the portal's words, its host name and digits.

    Letters count in any script, so no composition is asked for; a passphrase may contain any of the words.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        rest = password.casefold()
        for word in sorted({*OWN_WORDS, *_host_words()}, key=len, reverse=True):
            rest = rest.replace(word, "")
        none_of_ours = rest == password.casefold() and len(set(password)) >= _LEAST_CHARACTERS
        if len(re.sub(r"[\W\d_]", "", rest)) < _LEAST_LETTERS and not none_of_ours:
            raise ValidationError(self.get_help_text(), code="password_of_own_words")

    def get_help_text(self) -> str:
        return (
            "Your password must not be made of words that belong to this portal (its name, host, roles, providers), "
            "digits and signs alone."
        )


def _host_words() -> set[str]:
    host = urlsplit(settings.OPS_BASE_URL).hostname or ""
    return {part.casefold() for part in re.split(r"[.-]", host) if len(part) > 2 and not part.isdigit()}
