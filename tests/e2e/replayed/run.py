"""Sessions that are sent again; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import collections
import contextlib
import itertools
import json
import os
import queue
import random
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import middle
from scene import alerts, every_condition_that_comes_back_is_a_new_alert, hand, no_device_falls_silent_meanwhile, stats
from sip import Message
from stack import BIN, run, wait_until

SEED = int(os.environ.get("BMD_SEED") or time.time())
ELSEWHERE = "127.0.0.66"
KINDS = {"REGISTER": "replayed_register", "SUBSCRIBE": "replayed_subscribe", "MESSAGE": "replayed_message"}
numbers = itertools.count(1)


class Recorder(middle.Middle):
    """The man in the middle, who sends again what he has recorded, from where it came from."""

    def __init__(self, server):
        self.replies = None
        super().__init__(server)

    def _pass(self, data, source):
        if self.replies is not None and source == self.server and data.startswith(b"SIP/2.0"):
            self.replies.put(Message(data))
        else:
            super()._pass(data, source)

    def once(self, change):
        """The next NOTIFY is changed."""
        def changed(data):
            self.change = lambda data: data
            return change(data)
        self.change = changed

    def again(self, data):
        """Sent until it is answered: one that comes while the server is still at the one before is not."""
        for _ in range(3):
            self.sock.sendto(data, self.server)
            with contextlib.suppress(queue.Empty):
                return self.replies.get(timeout=2)
        raise AssertionError("no answer within 6 s")


class Stranger:
    """The same from another address."""

    def __init__(self, server):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((ELSEWHERE, 0))
        self.sock.settimeout(2.5)
        self.server = server

    def again(self, data):
        """Sent until it is answered, as by UDP: what is over the limit of an address is not."""
        for _ in range(5):
            self.sock.sendto(data, self.server)
            with contextlib.suppress(TimeoutError):
                return Message(self.sock.recv(65536))
        raise AssertionError("no answer to a stranger within 12 s")


class Terminal:
    """A running bmd-watch behind the man in the middle."""

    def __init__(self, stack, man, user="tech1"):
        info = {t["username"]: t for t in stack.info["technicians"]}[user]
        self.path = f"{stack.dir}/{user}-{next(numbers)}.jsonl"
        self.process = stack.start(
            f"{BIN}/bmd-watch", "--aor", info["aor"], "--registrar", f"sip:127.0.0.1:{man.port}", "--user", user,
            "--password-file", info["password_file"], "--local", "127.0.0.1:0", "--json", stdin=subprocess.PIPE,
            stdout=open(self.path, "w"), stderr=subprocess.STDOUT)

    def objects(self):
        with open(self.path) as file:
            return [json.loads(line) for line in file if line.startswith("{") and line.endswith("\n")]

    def wait(self, wanted, what, after=0, timeout=8):
        try:
            return wait_until(lambda: next((o for o in self.objects()[after:] if wanted(o)), None), timeout, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; it said {[o.get('event', 'state') for o in self.objects()]}") from None

    def shows(self, value, after=0):
        return self.wait(lambda o: any(a["value"] == value and a["state"] == "active" for a in o.get("alerts", [])),
                         f"the alert with {value}", after)

    def end(self):
        """How many replays it says there were."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(8) == 0
        return self.objects()[-1]["replayed"]


def unread(port):
    """Bytes that wait in the system for whoever listens at this port of UDP."""
    with open("/proc/net/udp", encoding="ascii") as file:
        lines = [line.split() for line in file][1:]
    return sum(int(line[4].split(":")[1], 16) for line in lines if int(line[1].split(":")[1], 16) == port)


def orders(recorded):
    """The same in many orders."""
    yield "forwards", recorded
    yield "backwards", recorded[::-1]
    for turn in range(6):
        mixed = recorded[:]
        random.Random(SEED + turn).shuffle(mixed)
        yield f"shuffled with {SEED} + {turn}", mixed


def method_of(data):
    return data.split(b" ", 1)[0].decode()


def a_whole_session_is_recorded(stack):
    print(f"# replayed: seed {SEED}")
    stack.man = man = Recorder(stack.server)
    terminal = Terminal(stack, man)
    terminal.wait(lambda o: o.get("state") == "full", "the first document")
    # what cannot be read makes the terminal refresh
    man.once(middle.replaced(b"text/plain", b"?"))
    hand(stack, "OX-1001 SpO2=82")
    terminal.wait(lambda o: o.get("event") == "gap", "a document that cannot be read")
    code = terminal.shows(82)["alerts"][0]["code"]
    terminal.process.stdin.write(f"accept {code}\n".encode())
    terminal.process.stdin.flush()
    assert terminal.wait(lambda o: o.get("event") == "answer", "the result")["status"] == 200
    terminal.wait(lambda o: any(a["response"] == "accepted" for a in o.get("alerts", [])), "who has it")
    assert terminal.end() == 0
    stack.recorded = [data for data in man.asked if b"\r\nAuthorization:" in data]
    kinds = collections.Counter(method_of(data) for data in stack.recorded)
    assert kinds["REGISTER"] >= 2 and kinds["SUBSCRIBE"] >= 3 and kinds["MESSAGE"] == 1, kinds
    wait_until(lambda: stack.sql("SELECT count(*) FROM active_watchers") == [["0"]], 5, "the end of the subscription")
    wait_until(lambda: stack.sql("SELECT count(*) FROM location") == [["0"]], 5, "the end of the registration")
    # no transaction is left that would answer by itself
    wait_until(lambda: re.search(r"current: 0\b", stack.kamcmd("tm.stats")), 10, "the end of all transactions")
    man.replies = queue.Queue()


def what_there_is(stack):
    """All that a request could have changed; stored a moment later."""
    time.sleep(1.2)
    return (stack.sql("SELECT (SELECT count(*) FROM active_watchers), (SELECT count(*) FROM location), "
                      "(SELECT count(*) FROM bmd_alert), (SELECT count(*) FROM bmd_alert_event)"),
            alerts(stack), stats(stack)["answers"], stats(stack)["subscriptions"])


def replayed(stack, sender, expected):
    """Sends all of it in every order: how many of each kind.  expected(method): the status."""
    sent = collections.Counter()
    for order, requests in orders(stack.recorded):
        for data in requests:
            method = method_of(data)
            reply = sender.again(data)
            sent[method] += 1
            assert reply.cseq == Message(data).cseq and reply.status == expected(method), f"{order}: {method}: {reply.first}"
    return sent


def rise(stack, before, names):
    now = stats(stack)
    return {name: now[name] - before[name] for name in names}


def sent_again_from_elsewhere_each_request_is_refused_and_counted(stack):
    there, before = what_there_is(stack), stats(stack)
    sent = replayed(stack, Stranger(stack.server), lambda method: 401)
    risen = rise(stack, before, (*KINDS.values(), "digest_refused", "digest_stale", "replayed_other"))
    assert risen == {**{KINDS[method]: count for method, count in sent.items()}, "digest_refused": 0, "digest_stale": 0,
                     "replayed_other": 0}, (sent, risen)
    assert what_there_is(stack) == there


def sent_again_from_the_same_address_a_message_is_answered_as_before_and_all_else_refused(stack):
    def repeated():
        return int(stack.kamcmd("stats.fetch", "dmp.repeated").strip().strip("{}").split(": ")[1])
    there, before, repetitions = what_there_is(stack), stats(stack), repeated()
    sent = replayed(stack, stack.man, lambda method: 200 if method == "MESSAGE" else 401)
    risen = rise(stack, before, KINDS.values())
    assert risen == {"replayed_register": sent["REGISTER"], "replayed_subscribe": sent["SUBSCRIBE"], "replayed_message": 0}, risen
    assert repeated() - repetitions == sent["MESSAGE"]
    assert what_there_is(stack) == there


def after_a_restart_it_is_refused_by_the_age_of_its_nonce(stack):
    there = what_there_is(stack)[0]
    stack.restart()
    before = stats(stack)
    sent = replayed(stack, Stranger(stack.server), lambda method: 401)
    assert rise(stack, before, ("digest_stale",)) == {"digest_stale": sum(sent.values())}
    sent = replayed(stack, stack.man, lambda method: 401)
    assert rise(stack, before, KINDS.values()) == dict.fromkeys(KINDS.values(), 0)
    assert what_there_is(stack)[0] == there


def in_a_dialog_a_cseq_that_is_not_above_the_last_is_refused_and_counted(stack):
    agent = stack.agent("tech2")
    dialog, reply = agent.subscribe()
    assert reply.status == 200, reply.first
    agent.subscribe(dialog=dialog)
    before, last = stats(stack), dialog._cseq
    for cseq in (last, last - 1, 1):
        # the challenge has the CSeq before
        dialog._cseq = cseq - 2
        _, reply = agent.subscribe(dialog=dialog)
        assert reply.status == 400 and reply.cseq == cseq, reply.first
    dialog._cseq = last
    tag, dialog.remote_tag, target, dialog.target = dialog.remote_tag, "", dialog.target, dialog.to
    _, reply = agent.subscribe(dialog=dialog)
    assert reply.status == 482, reply.first
    assert rise(stack, before, ("replayed_in_dialog", "replayed_subscribe")) == {"replayed_in_dialog": 3, "replayed_subscribe": 1}
    dialog.remote_tag, dialog.target = tag, target
    _, reply = agent.subscribe(dialog=dialog, expires=0)
    assert reply.status == 200, reply.first


def with_another_branch(data):
    return re.sub(rb"branch=[^;\s]+", b"branch=z9hG4bKagain%d" % next(numbers), data)


def raised(stack, terminal, value):
    hand(stack, "OX-1001 SpO2=98")
    before = len(terminal.objects())
    hand(stack, f"OX-1001 SpO2={value}")
    terminal.shows(value, before)


def sent_again_a_notify_is_refused_counted_and_shown_to_be_one(stack):
    man = Recorder(stack.server)
    terminal = Terminal(stack, man)
    terminal.wait(lambda o: o.get("state") == "full", "the first document")
    for value in (71, 72):
        raised(stack, terminal, value)
    # the dialog is lost, and there is a new one; what was of the old one is recorded, too
    man.once(middle.header(b"Subscription-State", b"terminated;reason=deactivated"))
    hand(stack, "OX-1001 SpO2=98")
    terminal.wait(lambda o: o.get("event") == "retry", "the end of the dialog")
    terminal.wait(lambda o: o.get("state") == "full" and o.get("version") == 1, "the first document of the new dialog",
                  next(i for i, o in enumerate(terminal.objects()) if o.get("event") == "retry"))
    raised(stack, terminal, 73)
    before = len(terminal.objects())
    taken = {(o["call_id"], o["cseq"]) for o in terminal.objects() if "cseq" in o}
    # not what the server still sent to the dialog that the terminal had left
    recorded = [data for data in man.passed if (Message(data).get("call-id"), Message(data).cseq) in taken]
    assert len(recorded) >= 5 and len({Message(data).get("call-id") for data in recorded}) == 2, len(recorded)
    elsewhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    elsewhere.bind((ELSEWHERE, 0))
    sent = 0
    for _, notifies in orders(recorded):
        for data, sock in itertools.product(notifies, (man.sock, elsewhere)):
            sock.sendto(man._request(with_another_branch(data), True), man.terminal)
            sent += 1
            wait_until(lambda: not unread(man.terminal[1]), 5, "the terminal to read it")
    raised(stack, terminal, 74)
    said = terminal.objects()[before:]
    values = {a["value"] for o in said for a in o.get("alerts", [])}
    assert values <= {73, 74, 98}, values
    shown = [o["replayed"] for o in said if o.get("event") == "replayed"]
    assert shown == [n for n in (1, 10, 100) if n <= sent], (shown, [o.get("event", o.get("cseq")) for o in terminal.objects()[:before + 2]])
    assert not [o for o in said if o.get("event") in ("retry", "gap", "old")], said
    counted = terminal.end()
    assert counted == sent, f"{counted} counted, {sent} sent again"


def a_retransmission_is_no_replay(stack):
    man = Recorder(stack.server)
    terminal = Terminal(stack, man)
    terminal.wait(lambda o: o.get("state") == "full", "the first document")
    raised(stack, terminal, 75)
    for data in list(man.passed):
        man.sock.sendto(man._request(data, True), man.terminal)
    raised(stack, terminal, 76)
    assert terminal.end() == 0


run("replayed", [
    no_device_falls_silent_meanwhile, every_condition_that_comes_back_is_a_new_alert, a_whole_session_is_recorded,
    sent_again_from_elsewhere_each_request_is_refused_and_counted,
    sent_again_from_the_same_address_a_message_is_answered_as_before_and_all_else_refused,
    after_a_restart_it_is_refused_by_the_age_of_its_nonce,
    in_a_dialog_a_cseq_that_is_not_above_the_last_is_refused_and_counted,
    sent_again_a_notify_is_refused_counted_and_shown_to_be_one, a_retransmission_is_no_replay],
    "--set", "SOURCE_REQUESTS=10000", errors_expected=["wrong sequence number", "extract", "delete_subs"])
