"""Names of the database `product` on the server of these tests: what somebody may put into a variable."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from providers.embedded_postgres.server import EmbeddedPostgres

Ways = Callable[[EmbeddedPostgres, pytest.MonkeyPatch, Path], str]


def _socket_of(server: EmbeddedPostgres) -> str:
    return server.options["unix_socket_directories"]


def _by_service(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, home: Path) -> str:
    lines = ["[there]", "host=127.0.0.1", f"port={server.port}", "dbname=product", "user=postgres"]
    (home / "services").write_text("\n".join([*lines, f"password={server.password}", ""]))
    monkeypatch.setenv("PGSERVICEFILE", str(home / "services"))
    return "service=there"


def _by_variables(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, home: Path) -> str:
    for name, value in {"PGHOST": "127.0.0.1", "PGPORT": server.port, "PGDATABASE": "product"}.items():
        monkeypatch.setenv(name, str(value))
    return f"user=postgres password={server.password}"


def _by_passfile(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, home: Path) -> str:
    (home / "pass").write_text(f"*:*:*:*:{server.password}\n")
    (home / "pass").chmod(0o600)
    return f"postgresql://postgres@127.0.0.1:{server.port}/product?passfile={home / 'pass'}"


def _by_pooler(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, home: Path) -> str:
    """Another port that hands everything on."""
    listening = socket.create_server(("127.0.0.1", 0))
    Thread(target=_hand_on, args=(listening, int(server.port or 0)), daemon=True).start()
    return server.dsn("product").replace(f":{server.port}/", f":{listening.getsockname()[1]}/")


def _hand_on(listening: socket.socket, port: int) -> None:
    while True:
        client, _ = listening.accept()
        there = socket.create_connection(("127.0.0.1", port))
        for source, target in ((client, there), (there, client)):
            Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def url(
    host: str, *, user: str = "postgres", scheme: str = "postgresql", path: str = "product", query: str = ""
) -> Ways:
    def way(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, home: Path) -> str:
        return f"{scheme}://{user}:{server.password}@{host}:{server.port}/{path}{query}"

    return way


def keywords(**given: str) -> Ways:
    def way(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, home: Path) -> str:
        values = {"host": "127.0.0.1", "dbname": "product", "user": "postgres", **given}
        return (
            " ".join(f"{name}={value}" for name, value in values.items())
            + f" port={server.port} password={server.password}"
        )

    return way


WAYS: dict[str, Ways] = {
    "the same text": url("127.0.0.1"),
    "the name of the host": url("localhost"),
    "capitals": url("LOCALHOST"),
    "the short scheme": url("127.0.0.1", scheme="postgres"),
    "another role": url("127.0.0.1", user="owner"),
    "percent-encoded": url("127.0.0.1", path="pr%6fduct"),
    "a parameter over the path": url("127.0.0.1", path="elsewhere", query="?dbname=product"),
    "an address over the host": url("production.invalid", query="?hostaddr=127.0.0.1"),
    "the second of two hosts": url("127.0.0.1:1,127.0.0.1"),
    "options": url("127.0.0.1", query="?options=-c%20application_name%3Dsomebody"),
    "keywords": keywords(),
    "quoted keywords": keywords(dbname="'product'"),
    "a connection string as the name": keywords(host="127.0.0.1", application_name="other", sslmode="disable"),
    "a socket": lambda server, *_: (
        f"host={_socket_of(server)} port={server.port} dbname=product user=postgres password={server.password}"
    ),
    "a socket in a URL": lambda server, *_: (
        f"postgresql:///product?host={_socket_of(server)}&port={server.port}&user=owner&password={server.password}"
    ),
    "a service": _by_service,
    "libpq's variables": _by_variables,
    "a file of passwords": _by_passfile,
    "a pooler": _by_pooler,
}
