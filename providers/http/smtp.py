"""Django's SMTP backend under one deadline: a mail server that speaks slowly holds nobody.

In: EMAIL_BACKEND and the other EMAIL_* settings. Out: the same mails, or OSError after SECONDS in all.
"""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends import smtp

from providers.http.deadline import connected, within

SECONDS = 30.0


class EmailBackend(smtp.EmailBackend):
    """What Django has, within SECONDS from the name to the last answer."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _WatchedTls if self.use_ssl else _Watched

    def open(self) -> bool | None:
        with within(SECONDS):
            return super().open()

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        with within(SECONDS):
            return super().send_messages(email_messages)


class _Watched(smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return _connected(host, port, timeout)


class _WatchedTls(smtplib.SMTP_SSL):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.context.wrap_socket(_connected(host, port, timeout), server_hostname=host)


def _connected(host: str, port: int, timeout: float) -> socket.socket:
    plain = connected(host, port)
    plain.settimeout(timeout)
    return plain
