"""How passwords are kept: Argon2id at the least that OWASP names. A try costs 30 ms of processor, not half a second.

Whoever is not signed in may have any number of passwords tried; a stronger setting would be paid by the portal itself.
"""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """19 MiB, two passes, one lane (OWASP's Password Storage Cheat Sheet)."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1
