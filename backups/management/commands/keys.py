"""sampelit-ops keys: create, list, rotate and check the signing key and the age keys of backups."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from pyrage import x25519

from backups.archive import keys, signatures
from backups.archive.reader import load, runs
from backups.management import cli
from providers.answers import Answer, columns
from providers.errors import Refused
from providers.storage.base import Store


class Command(cli.StoreCommand):
    help = "Keys of backups: `create`, `rotate`, `list`, `check` (every retained run still has a living recipient)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("verb", choices=["create", "rotate", "list", "check", "public"])
        parser.add_argument("what", nargs="?", choices=["signing", "age"], help="which key to create or rotate")
        parser.add_argument("--out", help="file for the private half, readable by you alone; without it: the terminal")
        parser.add_argument("--store", help="store URL; without it BACKUP_STORE")

    def answer(self, options: dict[str, Any]) -> Answer:
        verb = options["verb"]
        if verb in ("create", "rotate"):
            return _create(options, verb == "rotate")
        return {"check": _check, "public": _public, "list": _list}[verb](options)


def _create(options: dict[str, Any], rotate: bool) -> Answer:
    """Nothing is switched over: the new key takes effect when its variable is set."""
    if options["what"] == "signing":
        private, verifier = signatures.generate()
        name, public, shown = (
            "BACKUP_SIGNING_KEY",
            verifier.pem.strip(),
            f"key {verifier.key_id}\n{verifier.pem.strip()}",
        )
        line = ",".join(dict.fromkeys([*keys.public_texts(), keys.public_text(verifier)]))
        advice = f"Set BACKUP_PUBLIC_KEYS={line} so that older runs stay verifiable."
    elif options["what"] == "age":
        identity = x25519.Identity.generate()
        private, public, name = str(identity), str(identity.to_public()), "BACKUP_AGE_IDENTITY"
        old, shown = list(keys.recipients()) if rotate else [], public
        advice = (
            f"Add it to BACKUP_AGE_RECIPIENTS={','.join([*old, public])}. "
            "Keep the old identity until the last run that only it opens is gone (keys check tells)."
        )
    else:
        raise CommandError("Say which key: signing or age. No key was made.", returncode=2)
    if options["out"]:
        _write(Path(options["out"]), private)
        line = f"The private half is in {options['out']} ({name}). Keep a copy offline."
    else:
        line = f"{name}={private}"
    document = {"variable": name, "public": public, "advice": advice}
    document |= {"file": options["out"]} if options["out"] else {"private": private}
    return Answer(document, [shown, advice, line], follow="set the variables, then `sampelit-ops keys check`.")


def _public(options: dict[str, Any]) -> Answer:
    if not keys.verifiers():
        raise CommandError("Neither BACKUP_SIGNING_KEY nor BACKUP_PUBLIC_KEYS is set: no key to show.", returncode=1)
    pem = keys.public_pem().strip()
    return Answer({"pem": pem}, [pem], follow="`bin/verify_backup.py DIR --public-key FILE` checks a copy with it.")


def _list(options: dict[str, Any]) -> Answer:
    signer = keys.signer()
    document = {
        "signing": signer.key_id if signer else None,
        "accepted": [verifier.key_id for verifier in keys.verifiers()],
        "recipients": list(keys.recipients()),
        "identities": [str(x25519.Identity.from_str(text).to_public()) for text in keys.identities()],
    }
    shown = {name: ", ".join(value) if isinstance(value, list) else value for name, value in document.items()}
    rows = columns((name, value or "none") for name, value in shown.items())
    return Answer(document, rows, follow="`sampelit-ops keys check` tells whether each run can still be opened.")


def _check(options: dict[str, Any]) -> Answer:
    problems = lost_runs(cli.store_from(options["store"], reading=True))
    if len(keys.recipients()) == 1:
        problems.append("Only one recipient is configured: if its key is lost, every new backup is lost.")
    return Answer(
        {"problems": problems},
        problems or ["Every run has a living recipient."],
        code=1 if problems else 0,
        follow="`sampelit-ops keys create age` makes another recipient." if problems else "nothing.",
    )


def _write(path: Path, private: str) -> None:
    """A new file, readable by its owner alone. Raises Refused, so that no key is shown whose other half is lost."""
    try:
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(private + "\n", encoding="ascii")
    except OSError as error:
        raise Refused(f"{path} cannot be made: {error.strerror}. No key was made. Name a new file.") from None


def lost_runs(store: Store) -> list[str]:
    """Runs that none of the configured recipients (or identities of this process) can open."""
    living = {str(x25519.Identity.from_str(text).to_public()) for text in keys.identities()}
    living |= set(keys.recipients())
    problems = []
    for item in runs(store, keys.verifier()):
        if item.problem:
            problems.append(f"Run {item.run}: {item.problem}")
            continue
        if item.purged_at:
            continue
        recipients = load(store, item.run, keys.verifier()).recipients
        if recipients and not living & set(recipients):
            problems.append(f"Run {item.run} of {item.taken_at[:10]} can be opened by no configured key.")
    return problems
