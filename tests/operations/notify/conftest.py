"""An outside world that only listens: what was posted, and how it answers."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from pytest_django.fixtures import Settings

from operations import notify
from operations.models import Notification
from providers.http import public_address


@dataclass
class Outside:
    answers: list[Exception] = field(default_factory=list)
    posts: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        self.posts.append((url, body, headers))
        if self.answers:
            raise self.answers.pop(0)
        return 200


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    world = Outside()
    monkeypatch.setattr(public_address, "post", world.post)
    return world


@pytest.fixture
def slack(settings: Settings) -> None:
    settings.SLACK_WEBHOOK_URL = "https://hooks.slack.com/services/T0/B0/planted-secret"


@pytest.fixture
def message(db: None, slack: None) -> Notification:
    notify.enqueue("demo:1", subject="Export failed", body="It broke <here> & there", path="/admin/x/")
    return Notification.objects.get()
