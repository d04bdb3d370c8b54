"""A cron line as a sentence, and beside the field while it is typed."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from backups.cron_sentence import sentence
from tests.people import holder


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("15 3 * * *", "at 03:15 every day"),
        ("0 3,15 * * *", "at 03:00 and 15:00 every day"),
        ("0 0 * * 1-5", "at 00:00 on Monday to Friday"),
        ("30 2 1 * *", "at 02:30 on day 1 of the month"),
        ("30 2 1,15 * sun", "at 02:30 on day 1 and 15 of the month or on Sunday"),
        ("*/10 * * * *", "every 10 minutes every day"),
        ("5 * * * *", "at minute 5 of every hour every day"),
        ("0 */6 * * *", "at minute 0 of every 6th hour from midnight every day"),
        ("0 9-17 * * mon-fri", "at minute 0 of hours 9 to 17 on Monday to Friday"),
        ("0 4 * 1,7 *", "at 04:00 every day in January and July"),
        ("0 4 29 feb 7", "at 04:00 on day 29 of the month or on Sunday in February"),
        ("0 4 */2 * *", "at 04:00 on every 2nd day of the month from the first"),
        ("0 8-20/4 * * *", "at minute 0 of hours 8 to 20, each 4th every day"),
        ("10,40 1,2,3,4 * * *", "at minute 10 and 40 of hours 1, 2, 3 and 4 every day"),
    ],
)
def test_each_form_is_said_as_crontab_means_it(line: str, said: str) -> None:
    assert sentence(line) == said


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("cron", "zone", "said"),
    [
        ("15 3 * * *", "Europe/Paris", "It runs at 03:15 every day, next at "),
        ("15 3 30 2 *", "UTC", "never fires"),
        ("nonsense", "UTC", "five cron fields"),
        ("15 3 * * *", "Mars/Olympus", "no time zone"),
        ("", "UTC", "only when somebody asks"),
    ],
)
def test_what_is_typed_is_told_beside_the_field(client: Client, cron: str, zone: str, said: str) -> None:
    client.force_login(holder("admin", "view_policy"))

    text = client.get(reverse("admin:backups_explain"), {"cron": cron, "time_zone": zone}).text

    assert said in text
    assert text.count("03:15") == (6 if "next at" in text else 0)
