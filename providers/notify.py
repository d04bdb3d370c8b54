"""The ways a message leaves: e-mail, Slack's incoming webhook, a signed JSON webhook, and a dead-man ping.

In: plain text, addresses, secrets from the caller. Out: nothing, or ProviderError / Refused. Sends once; the outbox
decides about repeating.
"""

from __future__ import annotations

import json
import smtplib
from collections.abc import Sequence
from datetime import datetime

from django.core.mail import EmailMessage
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from providers.errors import ProviderError, Refused
from providers.http import public_address

_JSON = {"Content-Type": "application/json", "User-Agent": "sampelit-ops"}


def mail(to: Sequence[str], subject: str, text: str) -> None:
    """One plain-text mail to everybody named, who do not see each other. Needs Django's EMAIL_* settings."""
    message = EmailMessage(" ".join(subject.split())[:200], text, bcc=list(to))
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:
        raise ProviderError(f"The mail server did not take the message ({type(error).__name__}).", True) from error


def slack(url: str, subject: str, text: str, link: str) -> None:
    """One message (api.slack.com/messaging/webhooks); &, < and > are escaped as Slack asks."""
    lines = [f"*{_escaped(subject)}*", _escaped(text), f"<{link}|Open>" if link else ""]
    body = json.dumps({"text": "\n".join(filter(None, lines))}).encode()
    public_address.post(url, body, dict(_JSON))


def webhook(url: str, secret: str, message_id: str, at: datetime, payload: dict[str, object]) -> None:
    """One signed JSON message (standardwebhooks.com); the id stays the same when the outbox repeats it."""
    text = json.dumps(payload, ensure_ascii=False, sort_keys=True)
    signed = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature(secret, message_id, at, text),
    }
    public_address.post(url, text.encode(), _JSON | signed)


def signature(secret: str, message_id: str, at: datetime, text: str) -> str:
    """The Standard Webhooks signature. Raises Refused when the secret cannot sign."""
    try:
        return str(Webhook(secret).sign(message_id, at, text))
    except (ValueError, EmptyWebhookSecretError) as error:
        raise Refused("NOTIFY_WEBHOOK_SECRET is no base64 secret. Nothing was sent; set it as whsec_….") from error


def ping(url: str) -> None:
    """Tell an outside dead-man service that we live."""
    public_address.post(url, b"", {"User-Agent": "sampelit-ops"})


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
