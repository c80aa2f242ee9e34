"""postgres.py - the stack's own PostgreSQL: killed, started, frozen and thawed, followed and replaced by a standby.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import os
import signal
import subprocess

from stack import TOP, wait_until


def _shell(script, *arguments):
    """A script that knows the functions of cluster.sh."""
    done = subprocess.run(["bash", "-c", f'. "{TOP}/tools/bmd-stack/cluster.sh"; {script}', "bash", *arguments],
                          capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, f"{script}: {done.stderr}"


def _sockets(stack):
    return stack.info["db"].split("host=")[1].split()[0]


def cluster(stack, verb):
    """"kill" or "start", by the functions bmd-stack itself uses."""
    data, log = stack.info["dir"] + "/pg", stack.info["dir"] + "/postgresql.log"
    stop = ('as_cluster_user "$(cluster_bin)/pg_ctl" -D "$1" -m immediate -w -t 20 -s stop > /dev/null 2>&1; '
            '! cluster_running "$1"')
    script = {"kill": stop, "start": 'cluster_start "$1" "$2" "$3"'}[verb]
    _shell(script, os.path.realpath(data), _sockets(stack), log)


class Standby:
    """Follows the stack's PostgreSQL by streaming replication, asynchronously; takes its place when told to."""

    def __init__(self, stack):
        self.stack, self.folder = stack, stack.dir + "/standby"
        self.data, self.log = self.folder + "/pg", self.folder + "/log"
        primary = os.path.realpath(stack.info["dir"] + "/pg")
        _shell('mkdir -m 711 "$1" "$2" && chown "$(cluster_user)" "$1" "$2" && '
               'echo "local replication all peer map=private" >> "$3/pg_hba.conf" && '
               'as_cluster_user "$(cluster_bin)/pg_ctl" -D "$3" reload > /dev/null && '
               'as_cluster_user "$(cluster_bin)/pg_basebackup" -h "$4" -U postgres -D "$5" -R -c fast -X stream',
               self.folder, self.folder + "/s", primary, _sockets(stack), self.data)
        self.start(self.folder + "/s")

    def start(self, sockets):
        _shell('cluster_start "$1" "$2" "$3"', self.data, sockets, self.log)

    def stop(self):
        _shell('cluster_stop "$1"', self.data)

    def psql(self, sockets, sql):
        done = subprocess.run(["psql", "-XAtq", f"host={sockets} dbname=bmd user=postgres", "-c", sql],
                              capture_output=True, text=True, timeout=10)
        return done.stdout.strip()

    def has(self, sql, expected):
        """Waits until a query is answered so by the standby."""
        wait_until(lambda: self.psql(self.folder + "/s", sql) == expected, 10, f"{sql}: {expected} at the standby")

    def promote(self):
        """Kills the server it follows, starts in its place, and takes writes."""
        cluster(self.stack, "kill")
        self.start(_sockets(self.stack))
        _shell('as_cluster_user "$(cluster_bin)/pg_ctl" -D "$1" -w -t 30 promote > /dev/null', self.data)


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
