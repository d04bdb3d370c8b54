"""`sampelit-ops roles NAME [--give ROLE[@ENVIRONMENT]] [--take …]`: who holds which role where. Exit 2 if refused."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User

from operations import authority, cli
from providers.answers import Answer, AnsweringCommand
from providers.errors import Refused
from sampelit_ops.signin.role_changes import set_roles, words

MAY = "auth.change_user"


class Command(AnsweringCommand):
    help = "Prints a person's roles, after giving and taking what is named. Changes need OPS_TOKEN."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the person's name in the portal")
        parser.add_argument("--give", action="append", default=[], metavar="ROLE[@ENVIRONMENT]")
        parser.add_argument("--code", default="", help="a code of your own second factor")
        parser.add_argument("--take", action="append", default=[], metavar="ROLE[@ENVIRONMENT]")

    def answer(self, options: dict[str, Any]) -> Answer:
        person = _person(options["name"])
        if options["give"] or options["take"]:
            _change(person, options)
        held = [words(role) for role in authority.roles(person)]
        follow = f"--give ROLE[@ENVIRONMENT] and --take change what {person.username} may do."
        return Answer({"name": person.username, "roles": held}, held or ["no role"], follow=follow)


def _person(name: str) -> User:
    person = User.objects.filter(username=name).first()
    if person is None:
        raise Refused(f"There is nobody called {name!r}. Nothing was changed; invite them in the admin.")
    return person


def _change(person: User, options: dict[str, Any]) -> None:
    by = cli.actor(options, MAY, None, needs_token=True)
    if not authority.holds(by, MAY, None):
        raise Refused(f"{by.username} may not change roles. Nothing was changed; an Admin may.")
    held = set(authority.roles(person))
    if unheld := sorted(set(options["take"]) - held):
        raise Refused(f"{person.username} does not hold {', '.join(unheld)}. Nothing was changed.")
    wanted = held - set(options["take"]) | set(options["give"])
    cli.confirmed(by, options, lambda: set_roles(person, wanted, by=by.username))
