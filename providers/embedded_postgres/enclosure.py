"""Runs a server where it meets no network, no process and no file but its own, as far as the platform lets us.

In: argv: our parent's id, the account, the directories it works in, and the program with its arguments. Out: that
program, in this process. Started by path with the standard library alone; what could not be had is said on stderr.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x08000000, 0x10000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
ROOT = Path("/proc")  # in a mount namespace of its own nothing needs it: the new root is laid over it
LIBRARIES = ("/usr", "/lib", "/lib32", "/lib64")
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
libc = ctypes.CDLL(None, use_errno=True)


def enclose(uid: int, gid: int, directories: Sequence[Path], program: str) -> None:
    """Leave everybody else's namespaces and root. Raises OSError where the platform does not let us, or it fails."""
    spaces = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET
    if os.geteuid():
        _checked(libc.unshare(CLONE_NEWUSER | spaces))
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    else:
        _checked(libc.unshare(spaces))
    _mount(None, Path("/"), MS_REC | MS_PRIVATE)
    _mount("tmpfs", ROOT, MS_NOSUID | MS_NODEV)
    _furnish(directories)
    if not _runs(program):
        raise OSError("the program does not start there")
    os.chroot(ROOT)
    os.chdir("/")


def become(uid: int, gid: int) -> None:
    """Give up root, where we are it, and every way back."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _furnish(directories: Sequence[Path]) -> None:
    for place in map(Path, LIBRARIES):
        if place.is_symlink():
            _inside(place).symlink_to(os.readlink(place))
        elif place.is_dir():
            _bind(place)
    for place in map(Path, DEVICES):
        _inside(place).parent.mkdir(exist_ok=True)
        _inside(place).touch()
        _mount(str(place), _inside(place), MS_BIND)
    shared = _inside(Path("/dev/shm"))  # noqa: S108 (one of its own)
    shared.mkdir()
    _mount("tmpfs", shared, MS_NOSUID | MS_NODEV)
    shared.chmod(0o1777)
    for place in directories:
        _bind(place)


def _inside(place: Path) -> Path:
    return ROOT / place.relative_to("/")


def _bind(place: Path) -> None:
    _inside(place).mkdir(parents=True, exist_ok=True)
    _mount(str(place), _inside(place), MS_BIND | MS_REC)


def _mount(source: str | None, target: Path, flags: int) -> None:
    kind, data = (b"tmpfs", b"mode=755") if source == "tmpfs" else (None, None)
    _checked(libc.mount(source and source.encode(), bytes(target), kind, ctypes.c_ulong(flags), data))


def _runs(program: str) -> bool:
    """Whether it finds its libraries there: on a machine that keeps them elsewhere it would never start."""
    child = os.fork()
    if child == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.chroot(ROOT)
            os.execv(program, [program, "--version"])  # noqa: S606 (our own server)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def main() -> None:
    parent, uid, gid, count = map(int, sys.argv[1:5])
    directories, program = [Path(path) for path in sys.argv[5 : 5 + count]], sys.argv[5 + count :]
    try:
        enclose(uid, gid, directories, program[0])
    except OSError as error:
        print(f"not enclosed: {error}", file=sys.stderr)
    become(uid, gid)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)  # forgotten when an account or a namespace changes
    if os.getppid() == parent:
        os.execv(program[0], program)  # noqa: S606


if __name__ == "__main__":
    main()
