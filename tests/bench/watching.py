"""watching.py - technicians and devices of the SIP side of the benchmark, and the programs that play them.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import http.client
import json
import os
import select
import socket
import subprocess
import time

PASSWORD = "only-for-the-benchmark"  # of technicians that exist only in its private stack
LOW, USUAL = "SpO2=80", "SpO2=97"

PEOPLE = """
BEGIN;
INSERT INTO bmd_device_type (type_name, stale_after, description)
VALUES ('Watched oximeter', '1 day', 'of the benchmark') ON CONFLICT DO NOTHING;
INSERT INTO bmd_type_limit (type_name, metric, low, hysteresis, delay, priority)
VALUES ('Watched oximeter', 'SpO2', 90, 2, '0 s', 'high') ON CONFLICT DO NOTHING;
INSERT INTO bmd_technician (username, full_name)
SELECT 'w' || lpad(n::text, 6, '0'), 'Technician Example ' || n FROM generate_series(1, {people}) n;
INSERT INTO subscriber (username, domain, password, ha1, ha1_sha256)
SELECT username, '{domain}', '', md5(username || ':{domain}:{password}'),
       encode(sha256(convert_to(username || ':{domain}:{password}', 'UTF8')), 'hex')
FROM bmd_technician WHERE username ~ '^w[0-9]';
INSERT INTO bmd_patient (name, address)
SELECT 'Patient Example ' || n, n || ' Sample Street, Exampleton' FROM generate_series(1, {devices}) n;
INSERT INTO bmd_device (serial, type_name, location, patient_id)
SELECT 'D' || lpad(n::text, 6, '0'), 'Watched oximeter', 'bedroom, second floor',
       (SELECT max(patient_id) FROM bmd_patient) - {devices} + n
FROM generate_series(1, {devices}) n;
COMMIT;
ANALYZE;
"""

# Team t has technicians t * size + 1 to (t + 1) * size and every device n with n % teams = t.
TEAMS = """
BEGIN;
INSERT INTO bmd_team (team_name) SELECT 'team' || t FROM generate_series(0, {teams} - 1) t;
INSERT INTO bmd_team_member (team_name, username)
SELECT 'team' || (n - 1) / {size}, 'w' || lpad(n::text, 6, '0')
FROM generate_series(1, {teams} * {size}) n;
INSERT INTO bmd_assignment (team_name, serial)
SELECT 'team' || n % {teams}, 'D' || lpad(n::text, 6, '0') FROM generate_series(1, {devices}) n;
COMMIT;
"""


def people(stack, count, devices):
    """Technicians w000001… with digest credentials, oximeters D000001…; nobody responsible yet."""
    stack.sql(PEOPLE.format(people=count, devices=devices, domain=stack.info["domain"],
                            password=PASSWORD))


def teams(stack, number, size, devices):
    stack.sql(TEAMS.format(teams=number, size=size, devices=devices))


def settle(stack, usernames, timeout=120):
    """Waits until the server has taken over the provisioning: until it has nothing left to change."""
    until = time.monotonic() + timeout
    last, since = None, time.monotonic()
    while time.monotonic() < until:
        now = stack.kamcmd("bmd.stats")
        now = [line for line in now.splitlines() if "sync_" in line or "devices" in line]
        if now != last:
            last, since = now, time.monotonic()
        if time.monotonic() - since > 1.5:
            return
        time.sleep(0.1)
    raise AssertionError(f"provisioning of {usernames} did not settle in {timeout} s")


class Watchers:
    """build/bench/watchers while it runs."""

    def __init__(self, ctx, server, users, timeout=300, **options):
        arguments = {"server": server, "users": users, "password": PASSWORD, **options}
        command = [os.path.join(ctx.build, "watchers")]
        for name, value in arguments.items():
            command += ["--" + name, str(value)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        try:
            self.subscribed = self._line(timeout)
            if self.subscribed["subscribed"] != users:
                raise AssertionError(f"{self.subscribed['subscribed']} of {users} subscribed: "
                                     f"{self.subscribed['failure']}")
        except BaseException:
            self.kill()
            raise

    def _line(self, timeout):
        # each answer is one line, asked for by one: nothing is left in Python's buffer
        if not select.select([self.process.stdout], [], [], timeout)[0]:
            raise AssertionError(f"watchers said nothing in {timeout} s")
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"watchers ended: status {self.process.wait()}")
        return json.loads(line)

    def say(self, *words, timeout=120):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self._line(timeout)

    def end(self, timeout=300):
        """Ends the subscriptions; the last line."""
        self.process.stdin.write("end\n")
        self.process.stdin.flush()
        last = self._line(timeout)
        self.process.wait(10)
        return last

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


class Reporter:
    """One collector's connection to the intake, open all the time."""

    def __init__(self, stack):
        self.connection = http.client.HTTPConnection("127.0.0.1", stack.http_port, timeout=30)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def report(self, serial, value):
        """One reading.  The moment before it was written, microseconds since 1970; also its time."""
        stamp = time.time_ns() // 1000
        self.send(f"{serial} {stamp} {value}")
        return stamp

    def send(self, lines):
        """Lines of bmd.report."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "bmd.report", "params": [lines]})
        self.connection.request("POST", "/RPC", body, {"Content-Type": "application/json"})
        answer = json.loads(self.connection.getresponse().read())
        if "result" not in answer:
            raise AssertionError(f"bmd.report: {answer}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()
