"""Webhook deliveries, signed by Standard Webhooks, thin as Render's (`type`, `timestamp`, `data.id`), with retries."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import requests
from standardwebhooks import Webhook

from sandbox.render.world import Json, World

MAX_ATTEMPTS = 8
FIRST_RETRY_SECONDS = 1.0


class Deliveries:
    """`pump()` sends what is due; a receiver that does not answer 2xx is tried again, each time twice as late."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: list[Json] = []

    def pump(self) -> int:
        """Sends everything due now and returns how many deliveries were attempted."""
        with self._world.lock:
            self._collect()
            due = [item for item in self._waiting if item["due"] <= self._world.now()]
        for item in due:
            self._attempt(item)
        return len(due)

    def _collect(self) -> None:
        events, self._world.outbox = self._world.outbox, []
        for event in events:
            for hook in self._world.webhooks.values():
                if hook["enabled"] and (not hook["eventFilter"] or event["type"] in hook["eventFilter"]):
                    message = self._world.new_id("msg")
                    self._waiting.append(
                        {"id": message, "hook": hook["id"], "event": event, "due": self._world.now(), "tries": 0}
                    )

    def _attempt(self, item: Json) -> None:
        hook = self._world.webhooks.get(item["hook"])
        if hook is None:
            self._waiting.remove(item)
            return
        status, answer = post(hook, item["id"], item["event"], self._world.now())
        item["tries"] += 1
        with self._world.lock:
            self._note(item, status, answer)
            if 200 <= status < 300 or item["tries"] >= MAX_ATTEMPTS:
                self._waiting.remove(item)
            else:
                item["due"] = self._world.now() + timedelta(seconds=FIRST_RETRY_SECONDS * 2 ** (item["tries"] - 1))

    def _note(self, item: Json, status: int, answer: str) -> None:
        entry: Json = {
            "id": f"{item['id']}-{item['tries']}",
            "eventId": item["event"]["id"],
            "eventType": item["event"]["type"],
            "sentAt": self._world.stamp(),
        }
        entry |= {"statusCode": status, "responseBody": answer[:200]} if status else {"error": answer}
        self._world.sent.setdefault(item["hook"], []).append(entry)


def post(hook: Json, message: str, event: Json, now: datetime) -> tuple[int, str]:
    """One signed POST; (status, body), or (0, reason) where nobody answered."""
    body = json.dumps(
        {
            "type": event["type"],
            "timestamp": event["timestamp"],
            "data": {"id": event["id"], "serviceId": event["serviceId"]},
        }
    )
    headers = {
        "content-type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(hook["secret"]).sign(message, now, body),
    }
    try:
        answer = requests.post(hook["url"], data=body.encode(), headers=headers, timeout=5, allow_redirects=False)
    except requests.RequestException as error:
        return 0, type(error).__name__
    return answer.status_code, answer.text
