#!/usr/bin/python3
"""collector_durable.py - bmd-collector keeps what the server has not: no port waits for the network, pauses grow and differ.

SPDX-License-Identifier: GPL-2.0-or-later
The server here takes connections and does as the case wants; devices are bmd-sim, homes those of collector_uplink.py.
"""

import os
import re
import resource
import signal
import socket
import sqlite3
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from collector_uplink import Home, Server, begin, complete, run_cases, wait

SPOOL_WITHIN = 2.0


class Closed:
    """Takes connections and closes them; or, `silent`, reads and never answers."""

    def __init__(self, silent=False):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.silent = self.listener.getsockname()[1], silent
        self.times, self.kept = {}, []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            if self.silent:
                self.kept.append(connection)
                continue
            data = connection.recv(65536)
            for name in (b'"home1"', b'"home2"'):
                if name in data:
                    self.times.setdefault(name, []).append(time.monotonic())
            connection.close()


def spooled(home):
    """Lines of the spool of a home whose collector is dead."""
    database = sqlite3.connect(os.path.join(home.dir, "spool.db"))
    text = "".join(row[0] for row in database.execute("SELECT text FROM batch ORDER BY seq"))
    database.close()
    return text.splitlines()


def home_of(port, name="home1", extra=""):
    home = Home(f"http://127.0.0.1:{port}/RPC", extra)
    if name != "home1":
        with open(home.config, encoding="ascii") as file:
            text = file.read().replace('"home1"', f'"{name}"')
        with open(home.config, "w", encoding="ascii") as file:
            file.write(text)
    home.play(speed=1)
    wait(lambda: os.path.islink(home.link))
    home.collect()
    return home


def ports_are_read_while_the_server_never_answers():
    server = Closed(silent=True)
    home = home_of(server.port)
    time.sleep(7)
    home.stop(signal.SIGKILL)
    # one packet in a third of a second; the collector gives a request up after 2 s
    times = [int(line.split()[1]) / 1e6 for line in spooled(home) if "SpO2=" in line]
    gaps = [later - earlier for earlier, later in zip(times, times[1:])]
    good = len(times) >= 15 and max(gaps) < 1.5 and time.time() - times[-1] < SPOOL_WITHIN + 1
    home.close()
    return good


def pauses_grow_and_differ_between_collectors():
    server = Closed()
    homes = [home_of(server.port), home_of(server.port, "home2")]
    wait(lambda: all(len(server.times.get(n, ())) >= 5 for n in (b'"home1"', b'"home2"')), 25)
    gaps = [[b - a for a, b in zip(t, t[1:])] for t in server.times.values()]
    good = len(gaps) == 2 and all(len(g) >= 4 and g[3] > 2 * g[0] and g[0] > 0.1 for g in gaps)
    good = good and any(abs(a - b) > 0.02 for a, b in zip(*gaps))
    for home in homes:
        home.close()
    return good


def what_was_read_is_on_the_disk_within_two_seconds():
    server = Server()
    server.lag = 1000
    home = begin(server)
    wait(lambda: len(server.seen) >= 4)
    home.stop(signal.SIGKILL)
    killed = time.time()
    times = [int(line.split()[1]) / 1e6 for line in spooled(home) if "SpO2=" in line]
    good = len(times) > 0 and killed - times[-1] < SPOOL_WITHIN  # nothing is durable: all is kept
    home.close()
    return good


def full_disk_keeps_no_reading_from_the_server():
    server = Server()
    home = begin(server)
    wait(lambda: len(server.seen) >= 2)
    pid = home.collector.pid
    # a file that may not grow: as on a full disk
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    good = complete(server)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    time.sleep(SPOOL_WITHIN)
    home.stop(signal.SIGKILL)
    good = good and spooled(home) == []
    home.collect()
    time.sleep(3)
    good = good and complete(server)  # and nothing twice
    home.close()
    return good


def spool_writes_ahead():
    home = home_of(1)
    wait(lambda: os.path.exists(os.path.join(home.dir, "spool.db-wal")))
    home.stop(signal.SIGKILL)
    with open(os.path.join(home.dir, "spool.db"), "rb") as file:
        versions = file.read(20)[18:20]  # SQLite's file format: 2 is WAL, 1 is not
    good = versions == b"\2\2" and os.path.exists(os.path.join(home.dir, "spool.db-wal"))
    home.close()
    return good


def fill_spool(home, batches, size):
    """So many batches of so many bytes each, as if the server had been away for long."""
    line = "OX-1 1700000000000000 SpO2Ext=97\n"
    text = (line * (size // len(line))).ljust(size, "\n")
    database = sqlite3.connect(os.path.join(home.dir, "spool.db"))
    with database:
        database.executemany("INSERT INTO batch (has_alarm, size, text) VALUES (0, ?, ?)",
                             [(len(text), text)] * batches)
    database.close()


def full_spool_says_what_it_gave_up():
    server = Server()
    server.start()
    server.kill()  # its port is known, and nobody listens
    home = Home(f"http://127.0.0.1:{server.port}/RPC")
    with open(home.config, encoding="ascii") as file:
        text = file.read().replace("[spool]\n", "[spool]\nsize_mb = 1\n")
    with open(home.config, "w", encoding="ascii") as file:
        file.write(text)
    home.collect()
    wait(home.text)  # it says something of the port or the server: its spool is open
    home.stop()
    fill_spool(home, 100, 9998)  # 1,000,000 bytes are its room
    home.play()
    wait(lambda: os.path.islink(home.link))
    home.collect()
    good = wait(lambda: "spool is full: gave up " in home.text())
    wait(lambda: home.sim.poll() is not None, 12)  # the recording is over
    told = home.text().count(" dropped=")  # at the end of the first one, too
    home.collector.send_signal(signal.SIGUSR1)
    wait(lambda: home.text().count(" dropped=") > told)
    said = [int(n) for n in re.findall(r"gave up (\d+) batches without and 0 with alarm", home.text())]
    counted = int(re.findall(r" dropped=(\d+)", home.text())[-1])
    server.start()
    good = good and complete(server)
    good = good and sum(said) == counted == len(server.absent) > 0 and server.absent == [*range(1, counted + 1)]
    home.close()
    return good


CASES = [spool_writes_ahead, full_spool_says_what_it_gave_up, full_disk_keeps_no_reading_from_the_server,
         ports_are_read_while_the_server_never_answers, pauses_grow_and_differ_between_collectors,
         what_was_read_is_on_the_disk_within_two_seconds]

if __name__ == "__main__":
    sys.exit(run_cases("collector_durable", CASES))
