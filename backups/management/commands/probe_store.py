"""sampelit-ops probe_store [--store URL]: what the stores can do, by doing it. Without --store the result is kept."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from backups.management import cli
from backups.models import StoreReport
from backups.stores import configured
from operations.accounts import SHELL
from providers.answers import Answer


class Command(cli.StoreCommand):
    help = (
        "Writes, reads back, tries to overwrite and to delete a few small objects, and says what the store can do. "
        "Without --store: every store in use, and the portal shows the answers. Exit 1 if no export could rely on it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--store", help="only this store, without the portal's database")

    def answer(self, options: dict[str, Any]) -> Answer:
        if options["store"]:
            cli.store_from(options["store"])
            answers = {options["store"]: [item.as_json() for item in configured.look(options["store"])]}
        else:
            answers = {url: _kept(configured.report(url, actor=SHELL)) for url in configured.known()}
        documents = [_document(url, findings) for url, findings in answers.items()]
        usable = all(document["usable"] for document in documents)
        return Answer(
            documents[0] if options["store"] else documents,
            [line for document in documents for line in _lines(document)] or ["No store is configured."],
            code=0 if usable else 1,
            follow="`sampelit-ops export` or a policy may use it." if usable else "mend what is bad, then probe again.",
        )


def _kept(row: StoreReport) -> list[dict[str, Any]]:
    return list(row.findings)


def _document(url: str, findings: list[dict[str, Any]]) -> dict[str, Any]:
    return {"store": url, "usable": all(item["tone"] != "bad" for item in findings), "findings": findings}


def _lines(document: dict[str, Any]) -> list[str]:
    word = "usable" if document["usable"] else "NOT usable"
    lines = [f"{document['store']}: {word}"]
    for item in document["findings"]:
        lines.append(f"  {item['tone']:<4}  {item['name']}: {item['found']}")
        lines += [f"        {item['fix']}"] if item["fix"] else []
    return lines
