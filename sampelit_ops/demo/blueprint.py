"""The demo's render.yaml, read once, so that the environment's page has something to compare."""

from __future__ import annotations

from pathlib import Path

from django.contrib.auth.models import User

from operations.models import Environment

FILE = Path(__file__).with_name("render.yaml")


def register(environment: Environment) -> None:
    from deployments.blueprint import service as blueprint_service
    from deployments.models import BlueprintFile

    if not BlueprintFile.objects.filter(environment=environment).exists():
        blueprint_service.store_blueprint(
            environment, blueprint_service.SourceFile(FILE.read_bytes()), by=User.objects.get(username="operator")
        )
