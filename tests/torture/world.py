"""world.py - the parts under torture: PostgreSQL, Kamailio and collectors, each with a supervisor.

SPDX-License-Identifier: GPL-2.0-or-later
A supervisor does what a service manager does and nothing more: when the main process has ended, it
ends what is left of the service and starts it again a moment later.  Database on a tmpfs of its own,
every home in a network namespace of its own, the wall clocks of three domains set by libfaketime.
"""

import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from stack import BIN, TOP, Stack, free_port

RESTART_AFTER = 0.3  # seconds, as a service manager waits
DISK_MB = 6000       # of the tmpfs; memory is taken only for what is written


class NotPossible(Exception):
    """This machine does not permit what the campaign needs."""


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise NotPossible(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def process_stat(pid):
    """(parent, session) of a process, or None."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else (int(fields[1]), int(fields[3]))


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def kill(pid, number):
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


class Clock:
    """The wall clock of one domain; `history` is a list of (true time, offset)."""

    def __init__(self, folder, name):
        self.path = os.path.join(folder, "clock-" + name)
        self.name, self.history = name, []
        self.set(0)

    @property
    def offset(self):
        return self.history[-1][1]

    def set(self, seconds):
        with open(self.path + ".new", "w") as file:
            file.write(f"{seconds:+d}\n")
        os.replace(self.path + ".new", self.path)
        self.history.append((time.time(), seconds))

    def environment(self):
        libraries = sorted(glob.glob("/usr/lib/*/faketime/libfaketime.so.1"))
        if not libraries:
            raise NotPossible("libfaketime is missing: install the package faketime")
        return {**os.environ, "LD_PRELOAD": libraries[0], "FAKETIME_TIMESTAMP_FILE": self.path,
                "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
                "NO_FAKE_STAT": "1", "FAKETIME_DONT_RESET": "1"}


def forget_clocks():
    """libfaketime's memory of processes that were killed; a later one of the same number would meet it."""
    for path in glob.glob("/dev/shm/faketime_shm_*") + glob.glob("/dev/shm/sem.faketime_sem_*"):
        if not os.path.exists("/proc/" + path.rpartition("_")[2]):
            os.unlink(path)


class Service(threading.Thread):
    """One supervised service.  `outages`: [died, up again or None] in true time."""

    def __init__(self, name, log):
        super().__init__(daemon=True)
        self.name, self.log_path = name, log
        self.process, self.ending = None, False
        self.outages, self.starts = [], 0

    def launch(self):
        raise NotImplementedError

    def remains(self):
        """Processes left of the service when its main process has ended."""
        return []

    def died(self):
        """Called between the end and the next start."""

    def members(self):
        """Processes of the service now, the main one first."""
        return [self.process.pid] if self.process and self.process.poll() is None else []

    def begin(self):
        self.start_process()
        self.start()

    def start_process(self):
        with open(self.log_path, "ab") as log:
            self.process = self.launch(log)
        self.starts += 1

    def run(self):
        while True:
            self.process.wait()
            self.outages.append([time.time(), None])
            for _ in range(200):
                left = self.remains()
                if not left:
                    break
                for pid in left:
                    kill(pid, signal.SIGKILL)
                time.sleep(0.01)
            if self.ending:
                return
            self.died()
            time.sleep(RESTART_AFTER)
            self.start_process()
            self.outages[-1][1] = time.time()

    def end(self, number=signal.SIGTERM, patience=30):
        self.ending = True
        for pid in self.members():
            kill(pid, signal.SIGCONT)
        if self.process is not None:
            kill(self.process.pid, number)
            self.join(patience)
            if self.is_alive():
                kill(self.process.pid, signal.SIGKILL)
                self.join(10)


class Kamailio(Service):
    def __init__(self, stack, clock, modules):
        super().__init__("kamailio", stack.info["log"])
        self.stack, self.clock, self.modules = stack, clock, modules

    def launch(self, log):
        sockets = os.path.dirname(self.stack.info["ctl"].split(":", 1)[1])
        return subprocess.Popen(
            ["kamailio", "-DD", "-E", "-f", self.stack.info["dir"] + "/etc/kamailio.cfg", "-m", "256", "-M",
             "16", "-Y", sockets, "-L", f"{self.modules}/:/usr/lib/x86_64-linux-gnu/kamailio/modules/",
             "-u", "kamailio", "-g", "kamailio"], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            start_new_session=True, env=self.clock.environment())

    def remains(self):
        return [pid for pid in processes() if (process_stat(pid) or (0, 0))[1] == self.process.pid]

    def members(self):
        return sorted(self.remains())


class Postgres(Service):
    def __init__(self, stack, clock):
        super().__init__("postgres", stack.dir + "/postgres.log")
        self.clock = clock
        self.data = os.path.realpath(stack.info["dir"] + "/pg")
        self.sockets = stack.info["db"].split("host=")[1].split()[0]
        self.bin = max(glob.glob("/usr/lib/postgresql/*/bin/postgres"))

    def launch(self, log):
        return subprocess.Popen([self.bin, "-D", self.data, "-c", f"unix_socket_directories={self.sockets}"],
                                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", user="postgres",
                                group="postgres", extra_groups=[], start_new_session=True,
                                env=self.clock.environment())

    def remains(self):
        """Each backend has a session of its own: they are known by the folder they work in."""
        found = []
        for pid in processes():
            try:
                if os.readlink(f"/proc/{pid}/cwd") == self.data:
                    found.append(pid)
            except OSError:
                pass
        return found

    def members(self):
        main = super().members()
        return main + [p for p in self.remains() if main and (process_stat(p) or (0, 0))[0] == main[0]]


class Home:
    """A network namespace with one link to the server."""

    def __init__(self, index, network):
        tag = f"{os.getpid() % 100000:x}"
        self.space, self.outer, self.inner = f"bmdt{tag}h{index}", f"bt{tag}o{index}", f"bt{tag}i{index}"
        self.near, self.far = f"{network}.{4 * index + 5}", f"{network}.{4 * index + 6}"
        run("ip", "netns", "add", self.space)
        run("ip", "link", "add", self.outer, "type", "veth", "peer", "name", self.inner, "netns", self.space)
        run("ip", "addr", "add", self.near + "/30", "dev", self.outer)
        run("ip", "link", "set", self.outer, "up")
        run("ip", "-n", self.space, "addr", "add", self.far + "/30", "dev", self.inner)
        self.mend()

    def cut(self):
        run("ip", "-n", self.space, "link", "set", self.inner, "down")

    def mend(self):
        run("ip", "-n", self.space, "link", "set", self.inner, "up")
        run("ip", "-n", self.space, "route", "replace", "default", "via", self.near)

    def close(self):
        subprocess.run(["ip", "netns", "del", self.space], capture_output=True)
        subprocess.run(["ip", "link", "del", self.outer], capture_output=True)


class Collector(Service):
    """bmd-collector in its home."""

    def __init__(self, name, home, folder, url, devices, clock, bin_folder=BIN):
        super().__init__(name, f"{folder}/{name}.log")
        self.home, self.devices, self.clock, self.bin = home, devices, clock, bin_folder
        self.spool, self.config = f"{folder}/{name}.db", f"{folder}/{name}.toml"
        self.deaths = []  # called with the collector when it has died
        with open(self.config, "w") as file:
            file.write(f'[server]\nurl = "{url}"\ncollector = "{name}"\nallow_clear = true\n'
                       f'timeout_seconds = 4\n[spool]\npath = "{self.spool}"\n[log]\nlevel = "info"\n')
            for device in devices:
                file.write(f'[[port]]\ndevice = "{device.link}"\ndriver = "nonin"\nextended = true\n'
                           f'serial = "{device.serial}"\n')

    def launch(self, log):
        return subprocess.Popen(["nsenter", f"--net=/run/netns/{self.home.space}", self.bin + "/bmd-collector",
                                 "--config", self.config], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                start_new_session=True, env=self.clock.environment())

    def died(self):
        for call in self.deaths:
            call(self)


class World(Stack):
    """Everything but the load.  Use as a context: it ends and removes what it made."""

    def __init__(self, modules=None):
        if os.geteuid() != 0:
            raise NotPossible("network namespaces, a tmpfs and other users' processes need root")
        self.dir = tempfile.mkdtemp(prefix="bmd-torture.")
        os.chmod(self.dir, 0o755)
        self.children, self.agents, self.services, self.homes = [], [], [], []
        self.mounted, self.address, self.info = False, None, None
        self.clocks = {name: Clock(self.dir, name) for name in ("kamailio", "postgres", "collectors")}
        self.modules = modules or os.path.join(TOP, "build", "modules")
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self):
        number = os.getpid()
        self.network = f"10.{200 + number % 50}.{number // 50 % 250}"
        run("ip", "addr", "add", f"{self.network}.1/32", "dev", "lo")
        self.address = f"{self.network}.1"
        self.disk = self.dir + "/stack/pg"
        os.makedirs(self.disk)
        os.chmod(self.dir + "/stack", 0o711)
        run("mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=700", "bmd-torture", self.disk)
        self.mounted = True
        self.info = self._stack("up", "--host", self.address, "--sip-port", str(free_port()), "--http-port",
                                str(free_port()), "--set", "JOURNAL_MB=8", "--set", "DEVICES=1000", "--set",
                                "ALERTS=1000")
        self.server = (self.info["sip_host"], self.info["sip_port"])
        with open(self.disk + "/postgresql.conf", "a") as file:
            file.write("max_wal_size = 256MB\nshared_buffers = 64MB\n")
        # from here on the supervisors run it
        self.kill9()
        subprocess.run(["bash", "-c", f'. "{TOP}/tools/bmd-stack/cluster.sh"; cluster_stop "$1"', "bash",
                        self.disk], check=True)
        self.postgres = Postgres(self, self.clocks["postgres"])
        self.kamailio = Kamailio(self, self.clocks["kamailio"], self.modules)
        for service in (self.postgres, self.kamailio):
            self.services.append(service)
            service.begin()
        self.ready(60)

    def add_home(self, name, devices):
        home = Home(len(self.homes), self.network)
        self.homes.append(home)
        collector = Collector(name, home, self.dir, self.info["http"], devices, self.clocks["collectors"])
        self.services.append(collector)
        return collector

    def answers(self):
        try:
            return bool(self.kamcmd("bmd.stats")) and self.sql("SELECT 1") == [["1"]]
        except (AssertionError, subprocess.TimeoutExpired):
            return False

    def ready(self, patience):
        until = time.time() + patience
        while not self.answers():
            if time.time() > until:
                raise AssertionError(f"the server does not answer after {patience} s; see {self.info['log']}")
            time.sleep(0.2)

    def fill_disk(self):
        """No free block is left.  The size of a tmpfs may be less than free, not less than used."""
        state = os.statvfs(self.disk)
        used = (state.f_blocks - state.f_bfree) * state.f_frsize
        for spare in (0, 1 << 20, 8 << 20):
            done = subprocess.run(["mount", "-o", f"remount,size={used + spare}", self.disk], capture_output=True)
            if done.returncode == 0:
                return
        raise NotPossible("the tmpfs cannot be made smaller")

    def refused(self):
        """How often PostgreSQL said that its disk is full."""
        with open(self.postgres.log_path, encoding="utf-8", errors="replace") as log:
            return log.read().count("No space left on device")

    def empty_disk(self):
        run("mount", "-o", f"remount,size={DISK_MB}m", self.disk)

    def close(self, keep=False):
        for agent in self.agents:
            agent.close()
        for service in reversed(self.services):
            service.end(signal.SIGINT if service.name == "postgres" else signal.SIGTERM)
        for home in self.homes:
            home.close()
        if keep:
            shutil.copytree(self.dir, keep, ignore=lambda folder, names: [n for n in names if n in ("pg", "secrets")],
                            dirs_exist_ok=True, symlinks=True)
        if self.info is not None:
            try:
                self._stack("down")
            except AssertionError as error:
                print(f"# {error}", flush=True)
        if self.mounted:
            subprocess.run(["umount", "-l", self.disk], capture_output=True)
        if self.address:
            subprocess.run(["ip", "addr", "del", f"{self.address}/32", "dev", "lo"], capture_output=True)
        forget_clocks()
        shutil.rmtree(self.dir, ignore_errors=True)
