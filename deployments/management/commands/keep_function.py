"""`sampelit-ops keep_function FOLDER|ZIP --function SLUG [--json]`: keep source files, then deploy them by digest."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from deployments.functions import source_archive
from deployments.functions.bundles import keep_files
from deployments.kinds.functions import named
from operations import cli
from operations.engine import kinds
from operations.engine.request import check_permission
from providers.answers import Answer, AnsweringCommand


class Command(AnsweringCommand):
    help = "Keeps a folder or zip of an edge function in the portal and prints the request that deploys it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, metavar="FOLDER|ZIP")
        parser.add_argument("--function", required=True, help="the function's name (slug)")
        parser.add_argument("--as", dest="actor", metavar="USER", help="the demo only; otherwise OPS_TOKEN")

    def answer(self, options: dict[str, Any]) -> Answer:
        deploy = kinds.get("deployments.function_deploy")
        by = cli.actor(options, deploy.permission, None)
        check_permission(deploy, by, None)
        slug = named(options["function"])
        row = keep_files(slug, _read(options["source"]), by.get_username())
        deploys = (
            f"sampelit-ops request deployments.function_deploy --environment … --set function={slug} "
            f"--set bundle={row.sha256[:12]} --reason …"
        )
        files = "1 file" if len(row.files) == 1 else f"{len(row.files)} files"
        told = f"Kept {files}, {row.size_bytes} bytes, sha256 {row.sha256}."
        return Answer({"function": slug, "sha256": row.sha256, "files": row.files}, [told], follow=deploys)


def _read(source: Path) -> source_archive.Files:
    try:
        if source.is_file():
            return source_archive.from_upload(source.read_bytes(), source.name)
        return source_archive.from_folder(source)
    except OSError as error:
        raise CommandError(str(error)) from error
