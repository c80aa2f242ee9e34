"""postgres.py - the stack's own PostgreSQL, killed, started, frozen and thawed.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import os
import signal
import subprocess

from stack import TOP


def cluster(stack, verb):
    """"kill" or "start", by the functions bmd-stack itself uses."""
    data, log = stack.info["dir"] + "/pg", stack.info["dir"] + "/postgresql.log"
    sockets = stack.info["db"].split("host=")[1].split()[0]
    stop = ('as_cluster_user "$(cluster_bin)/pg_ctl" -D "$1" -m immediate -w -t 20 -s stop > /dev/null 2>&1; '
            '! cluster_running "$1"')
    script = {"kill": stop, "start": 'cluster_start "$1" "$2" "$3"'}[verb]
    done = subprocess.run(["bash", "-c", f'. "{TOP}/tools/bmd-stack/cluster.sh"; {script}', "bash",
                           os.path.realpath(data), sockets, log], capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, f"{verb}: {done.stderr}"


def _parent(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


class Frozen:
    """with Frozen(stack): every process of its PostgreSQL is stopped; connections stay open."""

    def __init__(self, stack):
        with open(stack.info["dir"] + "/pg/postmaster.pid", encoding="utf-8") as file:
            self.postmaster = int(file.readline())
        self.stopped = []

    def _send(self, pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    def __enter__(self):
        self._send(self.postmaster, signal.SIGSTOP)  # first: it makes no new ones
        self.stopped = [self.postmaster]
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                if _parent(int(name)) == self.postmaster:
                    self._send(int(name), signal.SIGSTOP)
                    self.stopped.append(int(name))
            except (OSError, ValueError):
                pass
        return self

    def __exit__(self, *_):
        for pid in reversed(self.stopped):
            self._send(pid, signal.SIGCONT)
