"""A person chooses once in which zone times are shown; it goes with them to every browser."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from sampelit_ops.models import Preference
from tests.people import holder

pytestmark = pytest.mark.django_db


def chosen_on(client: Client) -> str:
    text = client.get(reverse("account:sessions")).text
    return text.partition('data-chosen="')[2].partition('"')[0]


def test_it_is_kept_with_the_person_and_shown_in_another_browser() -> None:
    ana, ben = holder("ana"), holder("ben")
    here, there, other = Client(), Client(), Client()
    for client, user in ((here, ana), (there, ana), (other, ben)):
        client.force_login(user)
    assert chosen_on(here) == "UTC"

    answer = here.post(reverse("account:time_zone"), {"time_zone": "Europe/Paris", "next": "/admin/?a=1"})

    assert (answer.status_code, answer["Location"]) == (302, "/admin/?a=1")
    assert [chosen_on(client) for client in (here, there, other)] == ["Europe/Paris", "Europe/Paris", "UTC"]
    assert "<option selected>Europe/Paris</option>" in there.get(reverse("account:sessions")).text


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "Europe/Paris" * 9, "<b>"])
def test_what_is_no_zone_changes_nothing(client: Client, zone: str) -> None:
    client.force_login(holder("ana"))
    Preference.objects.create(user_id=int(client.session["_auth_user_id"]), time_zone="Asia/Tokyo")

    client.post(reverse("account:time_zone"), {"time_zone": zone})

    assert chosen_on(client) == "Asia/Tokyo"


@pytest.mark.parametrize("away", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_it_leads_nowhere_else(client: Client, away: str) -> None:
    client.force_login(holder("ana"))

    answer = client.post(reverse("account:time_zone"), {"time_zone": "UTC", "next": away})

    assert answer["Location"] == reverse("account:sessions")


def test_who_is_not_signed_in_chooses_nothing(client: Client) -> None:
    answer = client.post(reverse("account:time_zone"), {"time_zone": "Europe/Paris"})

    assert answer["Location"].startswith("/admin/login/")
    assert not Preference.objects.exists()
