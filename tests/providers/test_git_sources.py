"""No repository is a door into our network: https to public addresses, pinned, without redirects, within limits."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from providers import git
from providers.errors import ProviderError, Refused
from providers.git import process
from providers.http import public_address

NAMES = {
    "git.example": "93.184.216.34",
    "inside.example": "10.0.0.5",
    "rebinding.example": "169.254.169.254",
    "mapped.example": "::ffff:127.0.0.1",
    "ula.example": "fd00:ec2::254",
    "127.1": "127.0.0.1",
    "2130706433": "127.0.0.1",
    "0x7f000001": "127.0.0.1",
    "0177.0.0.1": "127.0.0.1",
}
HOSTILE = [
    "http://git.example/o/r",
    "git://git.example/o/r",
    "ssh://git@git.example/o/r",
    "git@git.example:o/r",
    "ftp://git.example/o/r",
    "file:///etc",
    "FILE:///etc",
    "ext::sh -c id",
    "ext::https://git.example/o/r",
    "fd::3",
    "https::http://127.0.0.1/",
    "HTTPS://git.example/o/r",
    "git+ssh://git.example/r",
    "https://127.0.0.1/o/r",
    "https://127.1/o/r",
    "https://2130706433/o/r",
    "https://0x7f000001/o/r",
    "https://0177.0.0.1/o/r",
    "https://[::1]/o/r",
    "https://[::ffff:127.0.0.1]/o/r",
    "https://[fe80::1%25eth0]/o/r",
    "https://inside.example/o/r",
    "https://rebinding.example/latest/meta-data",
    "https://mapped.example/o/r",
    "https://ula.example/o/r",
    "https://nowhere.example/o/r",
    "https://git.example:22/o/r",
    "https://git.example:5432/o/r",
    "https://git.example:99999/o/r",
    "https://u:p@git.example/o/r",
    "https://u@git.example/o/r",
    "https://git.example@127.0.0.1/o/r",
    "https://127.0.0.1#@git.example/o/r",
    "https://127.0.0.1\\@git.example/o/r",
    "https://git.example./o/r",
    "https://git.ex%61mple/o/r",
    "https://gıt.example/o/r",
    "https://git.example。/o/r",
    "https://git.example/o/r\n--upload-pack=x",
    "https://git.example/o/r@--upload-pack=x",
    "https://git.example/o/r@a..b",
    "https://git.example/o/r@" + "a" * 300,
    "https://git.example/" + "a" * 1_000,
    "https:///o/r",
    "https://",
    "--upload-pack=touch /x",
    "-oProxyCommand=id",
]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Names that lead where this table says, and nowhere else."""

    def resolve(host: str, port: int) -> list[str]:
        address = NAMES.get(host, host)
        if not any(character in ".:" for character in address) or address.endswith(".example"):
            raise ProviderError(f"{host} has no address just now.", retryable=True)
        return [address]

    monkeypatch.setattr(public_address, "_resolve", resolve)
    return NAMES


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git that writes down its arguments and settings, and does nothing."""
    file = tmp_path / "told"
    (tmp_path / "git").write_text(f'#!/bin/sh\necho "$*" >> {file}; env >> {file}\n')
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    file.touch()
    return file


@pytest.mark.parametrize("source", HOSTILE)
def test_a_hostile_address_is_refused_before_git_is_called(names: dict[str, str], told: Path, source: str) -> None:
    with pytest.raises(Refused, match="othing was read") as refusal:
        git.reachable(source, seconds=1)

    assert told.read_text() == ""
    assert not any(address in str(refusal.value) for address in names.values() if address not in source)


def test_names_that_lead_inside_and_names_that_lead_nowhere_are_told_alike(names: dict[str, str]) -> None:
    sentences = set()
    for host in ("inside.example", "rebinding.example", "mapped.example", "nowhere.example", "127.0.0.1"):
        with pytest.raises(Refused) as refusal:
            git.reachable(f"https://{host}/o/r", seconds=1)
        sentences.add(refusal.value.reason)

    assert len(sentences) == 1


def test_git_is_pinned_and_follows_nothing(names: dict[str, str], told: Path) -> None:
    git.reachable("https://git.example/o/r", seconds=5)

    arguments, *environment = told.read_text().splitlines()
    assert "http.curloptResolve=git.example:443:93.184.216.34" in arguments
    assert "http.followRedirects=false" in arguments
    assert {"GIT_ALLOW_PROTOCOL=https", "GIT_CONFIG_NOSYSTEM=1", "HOME=/nonexistent"} <= set(environment)
    assert not any(line.startswith("HTTPS_PROXY") for line in environment)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A socket of this machine that counts as public, so that a real git may be sent there."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        monkeypatch.setattr(public_address, "PORTS", frozenset({server.getsockname()[1]}))
        monkeypatch.setattr(public_address, "_resolve", lambda host, port: ["127.0.0.1"])
        monkeypatch.setattr(public_address, "is_public", lambda address: True)
        yield server


def _refusal(port: int) -> str:
    with pytest.raises(ProviderError) as error:
        git.reachable(f"https://pinned.example:{port}/o/r", seconds=5)
    return error.value.message


def test_a_real_git_goes_to_the_checked_address_and_an_open_port_reads_like_a_closed_one(port: socket.socket) -> None:
    heard: list[bytes] = []

    def answer() -> None:
        connection, _ = port.accept()
        with connection:
            heard.append(connection.recv(4096))
            connection.sendall(b"SSH-2.0-OpenSSH\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    opened = _refusal(port.getsockname()[1])
    thread.join()
    number = port.getsockname()[1]
    port.close()

    closed = _refusal(number)

    assert b"pinned.example" in heard[0]  # the name that TLS asks for, at the address that was checked
    assert opened == closed


def test_a_host_that_hangs_is_left_with_the_same_sentence(port: socket.socket) -> None:
    with pytest.raises(ProviderError, match=r"within 0\.5 s; nothing was read") as error:
        git.reachable(f"https://pinned.example:{port.getsockname()[1]}/o/r", seconds=0.5)

    assert error.value.retryable


def test_what_git_prints_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    for number in range(40):
        (tmp_path / ("a" * 100 + f"{number}.sql")).touch()
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*run, *words], check=True)
    monkeypatch.setattr(process, "MOST_PRINTED", 4_000)

    with pytest.raises(Refused, match="lists more than"):
        list(git.read_files(f"file://{tmp_path}", wanted=lambda path: True, limit=100, seconds=20, local=True))
