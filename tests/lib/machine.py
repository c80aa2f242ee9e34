"""machine.py - this machine once more under a running systemd (machine.sh), and commands that run there.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SPACES = ("--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup")


def as_root(*words):
    return [*([] if os.geteuid() == 0 else ["sudo", "-n"]), *words]


class NotPossible(Exception):
    """This machine lets nobody do that; says why."""


class Machine:
    """Boots at once; close() shuts it down.  `prepare`: a command, to which the folder of its root is given."""

    def __init__(self, *prepare):
        tried = subprocess.run(as_root("unshare", *SPACES, "--fork", "true"), capture_output=True, text=True)
        if tried.returncode != 0:
            raise NotPossible("no name spaces of one's own: " + tried.stderr.strip())
        self.folder = tempfile.mkdtemp(prefix="bmd-machine-")
        self.log = os.path.join(self.folder + ".log")
        with open(self.log, "w", encoding="utf-8") as log:
            self.outside = subprocess.Popen(
                as_root("unshare", *SPACES, "--fork", "--kill-child", "bash", os.path.join(HERE, "machine.sh"), self.folder, *prepare),
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        self.first, self.started = None, []
        until = time.monotonic() + 120
        while not self._is_up():
            if self.outside.poll() is not None or time.monotonic() > until:
                with open(self.log, encoding="utf-8", errors="replace") as log:
                    raise AssertionError("the machine does not boot: " + log.read()[-2000:])
            time.sleep(0.1)

    def _is_up(self):
        found = subprocess.run(["pgrep", "-f", "--", "^/lib/systemd/systemd --system --unit=alone.target"],
                               capture_output=True, text=True).stdout.split()
        for pid in found:
            if self._belongs(int(pid)):
                self.first = int(pid)
                return self.try_run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")
        return False

    def _belongs(self, pid):
        """Is it a descendant of ours?"""
        while pid > 1:
            if pid == self.outside.pid:
                return True
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
                    pid = int(stat.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                return False
        return False

    def command(self, *words, user=None):
        inside = ["env", "--chdir=/", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"]
        inside += ["setpriv", "--reuid", user, "--regid", user, "--init-groups"] if user else []
        return as_root("nsenter", "--target", str(self.first), *SPACES, "--wd=/", *inside, *words)

    def try_run(self, *words, user=None, text=None, seconds=120):
        return subprocess.run(self.command(*words, user=user), input=text, capture_output=True, text=True,
                              errors="replace", timeout=seconds, check=False)

    def run(self, *words, **options):
        """What it prints; it must succeed."""
        done = self.try_run(*words, **options)
        assert done.returncode == 0, f"{' '.join(words)[:200]}: {done.stdout[-500:]}{done.stderr[-1500:]}"
        return done.stdout

    def start(self, *words, user=None, **options):
        self.started.append(subprocess.Popen(self.command(*words, user=user), stdin=subprocess.DEVNULL, **options))
        return self.started[-1]

    def close(self):
        if self.first is not None and self.outside.poll() is None:
            # what was started from outside first: systemd stops processes before it ends them, and nsenter stops with them
            self.try_run("sh", "-c", "kill -KILL -1")
            for process in self.started:
                process.wait(10)
            self.try_run("systemctl", "poweroff", "--no-block")
        try:
            self.outside.wait(20)
        except subprocess.TimeoutExpired:
            subprocess.run(as_root("kill", "-KILL", str(self.outside.pid)), check=False)
            self.outside.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)
        if os.path.exists(self.log):
            os.unlink(self.log)
