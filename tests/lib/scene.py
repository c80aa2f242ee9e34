"""scene.py - words that several end-to-end cases share: devices, batches, alerts, a watching terminal.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import contextlib
import json
import subprocess
import time

from stack import RpcFault, wait_until

OXIMETER = "Nonin oximeter"  # sample.sql: SpO2 90.. high priority, PulseRate 50..120 medium


def records(text):
    """What kamcmd prints of structures, as a list of dictionaries; what is nested is left out."""
    found, depth = [], 0
    for line in text.splitlines():
        line = line.strip()
        key, colon, value = line.partition(": ")
        if line == "{":
            depth += 1
            found.append({})
        elif line.endswith(": {"):
            depth += 1
        elif line == "}":
            depth -= 1
        elif colon and depth == 1:
            found[-1][key] = value
        elif line.endswith(":") and depth == 1:
            found[-1][line[:-1]] = ""
    return found


def alerts(stack, serial=None):
    """Open alerts as kamcmd shows them; of very many only some."""
    found = records(stack.kamcmd("bmd.alerts", *([serial] if serial else [])))
    return [alert for alert in found if "more" not in alert]


def device(stack, serial):
    """The first record is the device, the others its metrics; empty when there is no such device."""
    try:
        return records(stack.kamcmd("bmd.device", serial))
    except AssertionError:
        return []


def add_device(stack, serial, type_name=OXIMETER, location="", patient=None, assign=None, **limits):
    """Inserts a device by SQL and waits until it is in force.  limits: METRIC={"low": ...}."""
    text = (f"INSERT INTO bmd_device (serial, type_name, location, patient_id) VALUES "
            f"('{serial}', '{type_name}', '{location}', {patient or 'NULL'});")
    for metric, columns in limits.items():
        names = ", ".join(columns)
        values = ", ".join(f"'{value}'" for value in columns.values())
        text += (f"INSERT INTO bmd_device_limit (serial, metric, {names}) "
                 f"VALUES ('{serial}', '{metric}', {values});")
    if assign:
        text += f"INSERT INTO bmd_assignment (username, serial) VALUES ('{assign}', '{serial}');"
    stack.sql(text)
    provisioned(stack)
    assert device(stack, serial), f"the server does not know the device {serial}"


def provisioned(stack):
    """Returns when all that was committed before is in force: a device is known before those who may see it are.

    Changes are taken batch by batch and counted behind each.  The first one counted may have been
    read before ours were there; ours are in the second at the latest.  One that is read when the
    server connects to the database again is not counted, so there are more of them until one is.
    """
    for _ in range(2):
        before = stats(stack)["sync_changes"]

        def in_force():
            stack.sql("UPDATE bmd_setting SET value = value WHERE name = 'reopen_seconds'")
            until = time.time() + 1
            while time.time() < until:
                if stats(stack)["sync_changes"] > before:
                    return True
                time.sleep(0.02)
            return False
        wait_until(in_force, 10, "what was provisioned to be in force")


def setting(stack, name, value):
    """A row of bmd_setting, in force when this returns."""
    stack.sql(f"UPDATE bmd_setting SET value = {value} WHERE name = '{name}'")
    provisioned(stack)


def every_condition_that_comes_back_is_a_new_alert(stack):
    """A sentence for cases that count alerts: nothing is reopened."""
    setting(stack, "reopen_seconds", 0)


def no_device_falls_silent_meanwhile(stack):
    """A sentence for cases that count alerts or texts, and last longer than a device may be silent."""
    stack.sql("UPDATE bmd_device_type SET stale_after = '1 hour'")
    provisioned(stack)


@contextlib.contextmanager
def held(stack, statement):
    """A session of the database holds what this statement takes while the block runs."""
    with subprocess.Popen(["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", stack.info["db"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as session:
        session.stdin.write(f"SET statement_timeout = '10s'; BEGIN; {statement}; SELECT 'held';\n")
        session.stdin.flush()
        for line in session.stdout:
            if line.strip() == "held":
                break
        else:
            raise AssertionError(f"not held: {statement}")
        yield
        session.stdin.write("ROLLBACK;\n")


def fault(call, *arguments):
    """The RpcFault of a call that must not succeed."""
    try:
        answer = call(*arguments)
    except RpcFault as refused:
        return refused
    raise AssertionError(f"accepted: {answer}")


def hand(stack, text):
    """Readings by hand, through HTTP as the collector's are."""
    return stack.rpc("bmd.report", text)


def raise_on(stack, serial, value=80):
    """A low SpO2 by hand; the code of the alert that it raises."""
    hand(stack, f"{serial} SpO2={value}")
    return alerts(stack, serial)[0]["code"]


def shown(stack, code):
    """The alert as kamcmd shows it, but for whom it has reached: who answers, in vain too, has seen it."""
    alert = records(stack.kamcmd("bmd.alert", code))[0]
    return {name: value for name, value in alert.items() if name not in ("delivered_to", "seen_by")}


def batch(stack, collector, epoch, seq, text):
    return stack.rpc("bmd.report", collector, str(epoch), str(seq), text)


def batch_among_others(stack, *numbers_and_text, within=10):
    """The same, sent again for so many seconds while another batch of the collector is being taken."""
    until = time.time() + within
    while True:
        try:
            return batch(stack, *numbers_and_text)
        except RpcFault as refused:
            if refused.code != 503 or time.time() > until:
                raise


def stats(stack):
    return {key: int(value) for key, value in records(stack.kamcmd("bmd.stats"))[0].items()}


def now_us(seconds=0.0):
    return int((time.time() + seconds) * 1e6)


def stored(stack, serial):
    """(metric, kind, value) of every stored reading of a device, in order."""
    rows = stack.sql(f"SELECT metric, kind, value FROM bmd_readings WHERE serial = '{serial}' "
                     "ORDER BY received_at, measured_at, metric")
    return [tuple(row) for row in rows]


def history(stack, serial):
    """Events of a device's alerts, one list for each alert, in order of their raising."""
    rows = stack.sql("SELECT a.alert_id, string_agg(e.event, ' ' ORDER BY e.revision) "
                     f"FROM bmd_alert a JOIN bmd_alert_event e USING (alert_id) "
                     f"WHERE a.serial = '{serial}' GROUP BY 1 ORDER BY min(e.at)")
    return [row[1].split() for row in rows]


class Watcher:
    """A terminal that believes what it is told: it keeps the open alerts of one feed, and refuses
    what RFC 6665 and our documents do not allow."""

    def __init__(self, stack, user, feed=None, password=None, host="127.0.0.1", **options):
        self.agent = stack.agent(user, password, host)
        domain = stack.info["domain"]
        self.dialog, self.reply = self.agent.subscribe(f"sip:{feed or user}@{domain}", **options)
        assert self.reply.status == 200, f"{user} subscribes to {feed or user}: {self.reply.first}"
        self.open, self.documents = {}, []
        self.cseq, self.version, self.missing = 0, None, 0
        self.state = ""
        self.revisions = {}
        self.wait(lambda: self.documents, "the first document")
        assert self.documents[0].state == "full", "the first document is not full"

    def take(self, message):
        assert message.cseq > self.cseq, f"CSeq {message.cseq} after {self.cseq}"
        self.cseq = message.cseq
        self.state = message.get("subscription-state")
        if not message.body:
            return
        document = message.document()
        if self.version is not None:
            assert document.version == self.version + 1, f"version {document.version} after {self.version}"
        self.version = document.version
        if document.state == "full":
            self.open, self.revisions = {}, {}
        for alert in document.alerts:
            last = self.revisions.get(alert["id"], 0)
            assert int(alert["revision"]) >= last, (
                f"{alert['Variable']}: revision {alert['revision']} ({alert['state']}, "
                f"{alert['priority']}) came after {last}")
            self.revisions[alert["id"]] = int(alert["revision"])
            if alert["state"] == "cleared":
                self.open.pop(alert["id"], None)
            else:
                self.open[alert["id"]] = alert
        self.missing = document.more
        document.at = message.at
        self.documents.append(document)

    def pump(self, seconds=0.0):
        """Takes what has come; waits at most `seconds` for the first."""
        self.agent.pump(seconds)
        while self.agent.pump(0):
            pass
        mine = [m for m in self.agent.received if m.is_request and m.method == "NOTIFY"
                and m.get("call-id") == self.dialog.call_id]
        for message in mine:
            self.agent.received.remove(message)
            self.take(message)

    def wait(self, wanted, what, timeout=5):
        until = time.time() + timeout
        while True:
            self.pump(0.02)
            value = wanted()
            if value:
                return value
            if time.time() > until:
                raise AssertionError(f"{self.agent.user}: {what} did not come within {timeout} s")

    def about(self, serial, metric=None):
        return [a for a in self.open.values() if a["serial"] == serial
                and (metric is None or a["Variable"] == metric)]

    def quiet(self, seconds):
        """AssertionError when anything at all comes."""
        before = len(self.documents), self.cseq
        until = time.time() + seconds
        while time.time() < until:
            self.pump(0.02)
        came = [(d.state, [(a["serial"], a["state"]) for a in d.alerts]) for d in self.documents[before[0]:]]
        assert (len(self.documents), self.cseq) == before, f"an unexpected NOTIFY came: {came}"

    def agrees_with(self, stack, serials):
        """Shows what the book holds: the same alerts, with the same state and priority."""
        def same():
            book = {a["id"]: (a["state"], a["priority"]) for s in serials for a in alerts(stack, s)}
            return book == {i: (a["state"], a["priority"]) for i, a in self.open.items()}
        self.wait(same, f"agreement with the book, of {len(self.open)} alerts shown,")


def kill_and_restart(stack, *watchers):
    """kill -9 and a restart; what the watchers are told after it jumps ahead in versions."""
    stack.kill9()
    for watcher in watchers:
        watcher.pump(0.1)
        watcher.version = None
    stack.restart()


def json_call(method, params, **extra):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **extra}).encode()
