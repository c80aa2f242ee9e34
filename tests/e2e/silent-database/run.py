"""A database that says nothing any more; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import add_device, alerts, batch, hand, stats
from stack import run, wait_until


class Relay:
    """Hands bytes on between a socket's path and a server, until it is told to be silent."""

    def __init__(self, path, server):
        self.server, self.silent, self.pairs = server, False, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o777)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.server)
            self.pairs.append((client, server))
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    def _pump(self, source, target):
        try:
            while data := source.recv(65536):
                if not self.silent:  # else it is swallowed
                    target.sendall(data)
        except OSError:
            pass
        if not self.silent:
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def speak(self):
        """New connections work; the old ones stay as dead as they were."""
        for pair in self.pairs:
            for end in pair:
                end.close()
        self.pairs, self.silent = [], False


def direct(stack, text):
    info = dict(stack.info)
    stack.info["db"] = info["db"].replace("host=" + stack.sockets, "host=" + stack.sockets + "/real")
    try:
        return stack.sql(text)
    finally:
        stack.info = info


def a_relay_stands_before_the_database(stack):
    stack.sockets = stack.info["db"].split("host=")[1].split()[0]
    path = stack.sockets + "/.s.PGSQL.5432"
    os.makedirs(stack.sockets + "/real")
    os.chmod(stack.sockets + "/real", 0o755)
    os.rename(path, stack.sockets + "/real/.s.PGSQL.5432")
    stack.relay = Relay(path, stack.sockets + "/real/.s.PGSQL.5432")
    stack.restart()
    add_device(stack, "SILENT")
    batch(stack, "home", 1, 1, "SILENT SpO2=97")
    wait_until(lambda: batch(stack, "home", 1, 1, "")["durable"] == "1", 5, "durable")


def nothing_is_being_read(stack):
    """In the middle of an answer the provisioning waits for 30 s: a reload may take as long."""
    before = stack.stat("sync_changes")
    time.sleep(1)
    return stack.stat("sync_changes") == before


def silence_is_noticed_and_alerts_go_on(stack):
    wait_until(lambda: nothing_is_being_read(stack), 10, "the provisioning to have taken all changes")
    stack.relay.silent = True
    begun = time.monotonic()
    batch(stack, "home", 1, 2, "SILENT SpO2=80")
    assert len(alerts(stack, "SILENT")) == 1 and time.monotonic() - begun < 1
    wait_until(lambda: stack.stat("database_up") == 0, 15, "database_up = 0")
    print(f"# silent-database: the writer noticed after {time.monotonic() - begun:.1f} s")
    wait_until(lambda: stack.stat("sync_failures") > 0, 15, "the provisioning's notice")
    print(f"# silent-database: the provisioning noticed after {time.monotonic() - begun:.1f} s")
    assert batch(stack, "home", 1, 2, "")["durable"] == "1"


def everything_is_stored_once_and_followed_when_it_speaks_again(stack):
    direct(stack, "UPDATE bmd_device SET location = 'attic' WHERE serial = 'SILENT'")
    stack.relay.speak()
    batch(stack, "home", 1, 3, "SILENT SpO2=97")
    wait_until(lambda: batch(stack, "home", 1, 3, "")["durable"] == "3", 25, "durable")
    rows = direct(stack, "SELECT r.value FROM bmd_reading r JOIN bmd_device d USING (device_id) WHERE serial = 'SILENT' ORDER BY r.seq")
    assert rows == [["97"], ["80"], ["97"]], rows
    hand(stack, "SILENT SpO2=80")
    wait_until(lambda: alerts(stack, "SILENT")[0]["location"] == "attic", 15, "the new location")
    assert stats(stack)["alerts_open"] == 1


run("silent-database", [a_relay_stands_before_the_database, silence_is_noticed_and_alerts_go_on,
                        everything_is_stored_once_and_followed_when_it_speaks_again], errors_expected=True)
