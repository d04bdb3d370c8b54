"""What keeps `sampelit-ops` under a second where no worker is needed: no page is loaded, and bytecode lies ready."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.core.management import call_command
from django.urls import reverse

from operations.models import Operation
from operations.navigation import page_of
from sampelit_ops.command_line import APPS, ROOT
from tests import factories

pytestmark = pytest.mark.slow

# Pages and what they need, the services that are asked only when something is done, and tools of other commands.
NOT_NEEDED = ("admin", "urls", "boto3", "botocore", "webauthn", "gunicorn", "sandbox")
LOADED = """
import sys
from sampelit_ops.command_line import main
try: main()
finally: print(*sys.modules, file=sys.stderr)
"""


def is_needed(module: str) -> bool:
    app, _, rest = module.partition(".")
    return module not in NOT_NEEDED and app not in NOT_NEEDED and not (app in APPS and rest.split(".")[0] in NOT_NEEDED)


@pytest.mark.parametrize("words", [["--help"], ["kinds"], ["kinds", "--json"], ["request", "backups.export", "--help"]])
def test_what_needs_no_database_loads_no_page(words: list[str]) -> None:
    command = [sys.executable, "-c", LOADED, *words]

    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"DEMO": "0"}, capture_output=True, text=True, check=True)

    modules = done.stderr.splitlines()[-1].split()
    assert len(modules) > 50
    assert [module for module in modules if not is_needed(module)] == []


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["list", "show"])
def test_an_operation_is_told_without_its_page(verb: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEMO = True
    factories.world()
    asked = Operation.objects.filter(status="awaiting_approval").first()
    assert asked is not None

    def every_page(*_: object) -> None:
        raise AssertionError("the addresses of every page were loaded")

    monkeypatch.setattr("django.urls.base.get_resolver", every_page)
    out = StringIO()

    call_command("ops", verb, *([asked.pk] if verb == "show" else []), "--as", asked.requested_by.username, stdout=out)

    assert asked.pk in out.getvalue()


@pytest.mark.django_db
def test_the_address_of_every_row_is_what_django_makes_of_it() -> None:
    factories.world()
    told: dict[str, str] = {}
    made: dict[str, str] = {}
    for model in admin.site._registry:
        row = model._default_manager.first()
        if row is not None:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
            told[name], made[name] = page_of(row), reverse(name, args=[quote(row.pk)])

    assert len(told) > 20
    assert told == made


def test_make_and_render_compile_before_anything_starts() -> None:
    for file in ("Makefile", "bin/build"):
        line = next(line for line in (ROOT / file).read_text().splitlines() if "compileall" in line)
        assert {*APPS, "providers"} <= {*line.split()}, file
