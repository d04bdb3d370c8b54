"""A page loads under 100 KB, everything it links included, compressed as the server sends it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from tests import factories, sampling
from tests.browser.pages import pages

MOST = 100_000
LINKED = re.compile(r'(?:href|src)="/static/([^"]+\.(?:css|js|svg))"')
IMPORTED = re.compile(r"""(?:from |import |url\()\s*['"](\.?/?[\w./-]+\.(?:js|css))['"]""")


@pytest.mark.django_db
def test_every_page_is_light(client: Client) -> None:
    client.force_login(factories.world().everything)
    asked = sampling.share([address for _, url in pages() if (address := url())], 4)

    heavy = {address: weight for address in asked if (weight := _weight(client, address)) > MOST}

    assert not heavy


def _weight(client: Client, address: str) -> int:
    answer = client.get(address, headers={"Accept-Encoding": "gzip"})
    html = gzip.decompress(answer.content) if answer.get("Content-Encoding") == "gzip" else answer.content
    return len(answer.content) + sum(_size(Path(file)) for file in _linked(html.decode()))


def _linked(html: str) -> set[str]:
    files = {path for name in LINKED.findall(html) if isinstance(path := finders.find(name), str)}
    return files | {str(other) for path in files for other in _imported(Path(path))}


def _imported(path: Path) -> set[Path]:
    return {other for name in IMPORTED.findall(path.read_text()) if (other := (path.parent / name).resolve()).exists()}


def _size(path: Path) -> int:
    return len(gzip.compress(path.read_bytes()))
