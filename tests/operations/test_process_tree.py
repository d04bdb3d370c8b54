"""What a worker arms before it forks: no fork outlives its parent, none shows its memory, each leads its own group."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

FORK = """
import ctypes, json, os, resource, django
django.setup()
from operations.worker.process_tree import lead_own_group

reading, writing = os.pipe()
if os.fork() == 0:
    death = ctypes.c_int()
    ctypes.CDLL(None).prctl(2, ctypes.byref(death))  # PR_GET_PDEATHSIG
    lead_own_group()
    seen = {"dies by": death.value, "leads": os.getpgid(0) == os.getpid()}
    seen["open"] = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)  # PR_GET_DUMPABLE
    os.write(writing, json.dumps(seen | {"core": resource.getrlimit(resource.RLIMIT_CORE)[0]}).encode())
    os._exit(0)
os.wait()
print(os.read(reading, 1000).decode())
"""


def test_a_workers_fork_dies_with_it_leads_its_own_group_and_is_closed() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "sampelit_ops.settings", "OPS_WORKER_ID": "w1"}

    printed = subprocess.run([sys.executable, "-c", FORK], env=environment, stdout=subprocess.PIPE, check=True)

    assert json.loads(printed.stdout) == {"dies by": signal.SIGKILL, "leads": True, "open": 0, "core": 0}
