"""RFC 4475 and malformed requests against the server; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import select
import socket
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]
import malformed
import messages
from scene import Watcher, add_device, hand, provisioned
from sip import Dialog, Message
from stack import run, wait_until

DOMAIN = "example.com"  # that of most of the messages
PEOPLE = ("watson", "user")


def alive(stack):
    now = stack.processes()
    assert now == stack.processes_before, f"processes were {stack.processes_before}, are {now}"
    assert stack.kamcmd("core.uptime")


def memory(stack):
    """Shared memory in use, in bytes."""
    return int(next(line.split()[1] for line in stack.kamcmd("core.shmmem").splitlines() if "real_used" in line))


def the_people_of_the_rfc_and_a_watcher(stack):
    text = "".join(f"INSERT INTO bmd_technician (username, full_name) VALUES ('{name}', 'RFC {name}');"
                   f"SELECT bmd_set_password('{name}', '{DOMAIN}', 'a secret of {name} for tests');" for name in PEOPLE)
    stack.sql(text)
    provisioned(stack)
    add_device(stack, "TORTURE", assign="tech1")
    stack.watcher = Watcher(stack, "tech1")
    stack.processes_before = stack.processes()
    stack.torture = messages.load()
    assert len(stack.torture) == 49, len(stack.torture)


def answers(stack, requests, expected):
    """Sends each request from a socket of its own; the final statuses that each of them got.

    expected: how many answers there are to wait for.
    """
    sockets = {}
    for number, data in enumerate(requests):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(("127.0.0.1", 0))
        one.sendto(data, stack.server)
        sockets[one] = number
    found = [[] for _ in requests]
    until = time.monotonic() + 5
    while time.monotonic() < until:
        for one in select.select(list(sockets), [], [], 0.1)[0]:
            status = Message(one.recv(65536)).status
            if status >= 200:
                found[sockets[one]].append(status)
        if sum(map(len, found)) >= expected and until > time.monotonic() + 0.5:
            until = time.monotonic() + 0.5  # for those that get too many
    for one in sockets:
        one.close()
    return found


def each_of_the_49_messages_is_answered_as_its_row_says(stack):
    asked = [one.bytes for one in stack.torture]
    found = answers(stack, asked, sum(bool(one.answers) for one in stack.torture))
    wrong = [f"{one.name} ({one.title}): {got or 'nothing'} instead of {one.answers or 'nothing'}"
             for one, got in zip(stack.torture, found)
             if (got[0] not in one.answers or len(got) > 1 if got else one.answers)]
    if os.environ.get("BMD_TRACE"):
        print("\n".join(f"# {one.name}: {got}" for one, got in zip(stack.torture, found)))
    differs = [one.name for one in stack.torture if not one.agrees]
    print(f"# torture-messages: {49 - len(differs)} of 49 as RFC 4475 wants; not so: {', '.join(differs) or 'none'}")
    assert not wrong, "; ".join(wrong)
    alive(stack)


def the_same_over_TCP_does_no_harm(stack):
    for one in stack.torture:
        with socket.create_connection(stack.server, 5) as connection:
            connection.sendall(one.bytes)
            connection.settimeout(0.05)
            try:
                answer = connection.recv(65536)
            except OSError:
                answer = b""
            assert one.kind != "response" or not answer, f"{one.name}: a response was answered: {answer[:60]}"
    alive(stack)


def with_credentials(stack, one, user):
    """The REGISTER of a torture message once more, with what the challenge asks for."""
    agent = stack.agent(user, f"a secret of {user} for tests")
    try:
        agent.sock.sendto(one.bytes, stack.server)
        challenge = agent.wait(lambda m: not m.is_request, 3, f"challenge of {one.name}")
        assert challenge.status == 401, challenge.first
        line = agent.authorize(challenge.get("www-authenticate"), "REGISTER", f"sip:{DOMAIN}")
        head, _, rest = one.bytes.partition(b"\r\n\r\n")
        agent.sock.sendto(head + b"\r\n" + line.encode() + b"\r\n\r\n" + rest, stack.server)
        reply = agent.wait(lambda m: not m.is_request, 3, f"answer to {one.name}")
    finally:
        agent.close()
    return reply


def a_REGISTER_of_the_RFC_that_is_right_is_taken_with_credentials(stack):
    known = {one.name: one for one in stack.torture}
    for name in ("cparam01", "cparam02"):
        reply = with_credentials(stack, known[name], "watson")
        assert reply.status == 200, f"{name}: {reply.first}"
        assert "gw1.example.net" in reply.get("contact"), reply.get("contact")
    # a header within the address must not become one of ours
    reply = with_credentials(stack, known["regescrt"], "user")
    assert reply.status in (200, 400), reply.first
    alive(stack)


def exchange(stack, agent, row, number):
    """The final status of a malformed request, with credentials when it is challenged; 0: none came."""
    def status(authorization, part):
        data = malformed.message(row, agent, DOMAIN, authorization, f"{number}{part}")
        agent.sock.sendto(data, stack.server)
        try:
            return agent.wait(lambda m: not m.is_request and m.status >= 200, 0.4 if row[3] in (malformed.NOTHING, malformed.UNREAD, None) else 2)
        except AssertionError:
            return None
    first = status("", "a")
    if first is None or first.status != 401:
        return first.status if first else 0
    line = row[2].get("line", malformed.base(row[0], agent, number)["line"]).replace("{d}", DOMAIN)
    second = status(agent.authorize(first.get("www-authenticate"), row[0], line.split(" ")[1]), "b")
    return second.status if second else 0


def allowed(got, wanted):
    if wanted is None:
        return got != 500
    if wanted == malformed.NOTHING:
        return got == 0
    if wanted == malformed.UNREAD:
        return got == 0 or 400 <= got < 500
    if wanted == malformed.REFUSED:
        return 400 <= got < 600 and got not in (401, 500)
    return got in wanted


def malformed_requests_of_a_person_are_refused(stack):
    agent = stack.agent("tech1")
    wrong = []
    for number, row in enumerate(malformed.ROWS):
        got = exchange(stack, agent, row, number)
        if os.environ.get("BMD_TRACE"):
            print(f"# {row[0]} {row[1]}: {got}")
        if not allowed(got, row[3]):
            wrong.append(f"{row[0]} with {row[1]}: {got or 'no answer'}, not {row[3]}")
    alive(stack)
    assert not wrong, f"{len(wrong)} of {len(malformed.ROWS)}: " + "; ".join(wrong)


def what_is_wrong_in_nothing_is_taken(stack):
    # or the refusals above would prove nothing
    agent = stack.agent("tech1")
    for method, change in (("SUBSCRIBE", {}), ("MESSAGE", {}), ("REGISTER", {"line": malformed.REGISTER})):
        got = exchange(stack, agent, (method, "nothing", change, (200, 202)), f"right{method}")
        assert got in (200, 202), f"{method}: {got}"


def shared_memory_does_not_grow(stack):
    def all_of_it():
        answers(stack, [one.bytes for one in stack.torture], 40)
    all_of_it()
    wait_until(lambda: "waiting: 0" in stack.kamcmd("tm.stats"), 20, "the end of all transactions")
    before = memory(stack)
    for _ in range(3):
        all_of_it()
    wait_until(lambda: "waiting: 0" in stack.kamcmd("tm.stats"), 20, "the end of all transactions")
    grown = memory(stack) - before
    assert grown < 32 << 10, f"shared memory grew by {grown} bytes"
    alive(stack)


# log_prefix without its transformations, in logging.cfg
def a_call_id_says_nothing_to_the_terminal_that_shows_the_log(stack):
    agent = stack.agent("tech1")
    dialog = Dialog(agent.contact)
    dialog.call_id = "loud\x1b[2J\x07quiet@test"
    reply = agent.transact("REGISTER", f"sip:{agent.domain}", dialog, password="wrong")
    assert reply.status == 401, reply.first
    wait_until(lambda: "loud?[2J?quiet@test" in stack.log(), 3, "the line of the wrong password")
    assert "\x1b" not in stack.log()


def an_alert_afterwards_is_told_at_once(stack):
    begun = time.monotonic()
    hand(stack, "TORTURE SpO2=79")
    stack.watcher.wait(lambda: stack.watcher.about("TORTURE"), "the alert", 1)
    assert time.monotonic() - begun < 1


run("torture-messages", [
    the_people_of_the_rfc_and_a_watcher, each_of_the_49_messages_is_answered_as_its_row_says,
    the_same_over_TCP_does_no_harm, a_REGISTER_of_the_RFC_that_is_right_is_taken_with_credentials,
    malformed_requests_of_a_person_are_refused, what_is_wrong_in_nothing_is_taken, shared_memory_does_not_grow,
    a_call_id_says_nothing_to_the_terminal_that_shows_the_log, an_alert_afterwards_is_told_at_once], "--domain", DOMAIN, errors_expected=True)
