"""Terminals that share a feed; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import re
import select
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from postgres import Frozen
from scene import Watcher, hand, stats
from stack import free_port, run, wait_until

GROUP = "grp.oximetry"


def contact_user(contact, port):
    return contact.replace("PORT", str(port))


def misbehaving(stack, contact, expected=200):
    """tech1 subscribes to the group with this Contact; PORT stands for its own port."""
    agent = stack.agent("tech1")
    agent.contact = contact_user(contact, agent.port)
    dialog, reply = agent.subscribe(f"sip:{GROUP}@{stack.info['domain']}")
    assert reply.status == expected, reply.first
    return agent, dialog


def alert_reaches(stack, watchers):
    hand(stack, "OX-1001 SpO2=70")
    for watcher in watchers:
        watcher.wait(lambda: watcher.about("OX-1001", "SpO2"), "the alert", 1)
    hand(stack, "OX-1001 SpO2=98")
    for watcher in watchers:
        watcher.wait(lambda: not watcher.open, "its end", 1)


def one_that_cannot_be_sent_to_silences_nobody(stack):
    before = Watcher(stack, "tech2", GROUP)
    bad, dialog = misbehaving(stack, f"sip:tech1@127.0.0.1:{free_port()};transport=tcp")
    after = Watcher(stack, "tech2", GROUP)
    for _ in range(5):
        alert_reaches(stack, [before, after])
    bad.subscribe(expires=0, dialog=dialog)


def a_transport_this_server_does_not_have_is_refused(stack):
    misbehaving(stack, "sip:tech1@127.0.0.1:PORT;transport=tls", 400)
    misbehaving(stack, "sip:tech1@127.0.0.1:PORT;transport=sctp", 400)


def a_contact_that_is_a_name_is_where_the_request_came_from(stack):
    agent, dialog = misbehaving(stack, "sip:tech1@no-such-host.invalid")
    assert agent.notify(dialog).document().state == "full"
    agent.subscribe(expires=0, dialog=dialog)


def one_that_does_not_answer_is_no_burden_for_the_others(stack):
    watcher = Watcher(stack, "tech2", GROUP)
    silent, dialog = misbehaving(stack, "sip:tech1@127.0.0.1:PORT")
    silent.notify_status = 486
    hand(stack, "OX-1001 SpO2=70")
    watcher.wait(lambda: watcher.open, "the alert", 1)
    watcher.quiet(12)  # the repetition for the silent one comes after 10 s
    silent.notify_status = 200
    until = time.time() + 25
    while True:  # told again, whole, once it answers
        message = silent.notify(dialog, max(0.1, until - time.time()))
        if message.body and message.document().state == "full" and message.document().alerts:
            break
    hand(stack, "OX-1001 SpO2=98")
    silent.subscribe(expires=0, dialog=dialog)


def nobody_takes_over_the_dialog_of_another(stack):
    owner = Watcher(stack, "tech2", GROUP)
    thief = stack.agent("tech1")
    theirs = thief_dialog(thief, owner, "sip:tech1@" + stack.info["domain"])
    _, reply = thief.subscribe(dialog=theirs, expires=0)
    assert reply.status in (200, 403), reply.first  # a fetch of its own state is harmless
    inside = thief_dialog(thief, owner, "sip:tech1@" + stack.info["domain"])
    inside.remote_tag = owner.dialog.remote_tag
    for expires in (0, 600):
        _, reply = thief.subscribe(dialog=inside, expires=expires)
        assert reply.status == 403, f"Expires {expires}: {reply.first}"
    _, reply = owner.agent.subscribe(dialog=owner.dialog)
    assert reply.status == 200, reply.first
    alert_reaches(stack, [owner])


def thief_dialog(thief, owner, to):
    """A dialog with the identifiers of somebody else's."""
    import sip
    dialog = sip.Dialog(to)
    dialog.call_id, dialog.local_tag = owner.dialog.call_id, owner.dialog.local_tag
    dialog._cseq = 50
    return dialog


def a_fetch_with_the_identifiers_of_another_ends_nothing(stack):
    owner = Watcher(stack, "tech2", GROUP)
    thief = stack.agent("tech1")
    own = "sip:tech1@" + stack.info["domain"]
    assert thief.subscribe(dialog=thief_dialog(thief, owner, own), expires=0)[1].status == 200
    thief.contact = f"sip:tech1@127.0.0.1:{thief.port};transport=sctp"
    assert thief.subscribe(dialog=thief_dialog(thief, owner, own), expires=0)[1].status == 400
    assert thief.subscribe(dialog=thief_dialog(thief, owner, own))[1].status == 400
    alert_reaches(stack, [owner])


def the_same_request_again_makes_no_second_dialog(stack):
    owner = Watcher(stack, "tech2", GROUP)
    again = thief_dialog(owner.agent, owner, owner.dialog.to)
    _, reply = owner.agent.subscribe(dialog=again)
    assert reply.status == 482, reply.first
    alert_reaches(stack, [owner])


def a_refused_request_changes_nothing(stack):
    owner = Watcher(stack, "tech2", GROUP)
    _, reply = owner.agent.subscribe(dialog=owner.dialog, expires=5)
    assert reply.status == 423, reply.first
    old = thief_dialog(owner.agent, owner, owner.dialog.to)
    old.remote_tag, old.target, old._cseq = owner.dialog.remote_tag, owner.dialog.target, 0
    _, reply = owner.agent.subscribe(dialog=old, expires=0)
    assert reply.status >= 400, reply.first
    alert_reaches(stack, [owner])


def alerts_of_others_hold_up_none(stack):
    watcher = Watcher(stack, "tech2", GROUP)
    flapping = "".join(f"VENT-840-1 Ppeak={80 if i % 2 else 20}\n" for i in range(3000))
    begun = time.time()
    hand(stack, flapping + "OX-1001 SpO2=70\n")
    watcher.wait(lambda: watcher.about("OX-1001", "SpO2"), "the alert", 5)
    late = watcher.documents[-1].at - begun
    hand(stack, "VENT-840-1 Ppeak=20\nOX-1001 SpO2=98")
    assert late < 0.7, f"told after {late:.2f} s"


def a_database_that_falls_silent_stops_no_alert(stack):
    watcher, other = Watcher(stack, "tech2", GROUP), Watcher(stack, "tech1", GROUP)
    latest = 0
    with Frozen(stack):
        for i in range(4):
            begun = time.time()
            hand(stack, f"OX-1001 SpO2={98 if i % 2 else 70}")
            for terminal in (watcher, other):
                terminal.wait(lambda: bool(terminal.open) == (i % 2 == 0), "the change", 15)
            latest = max(latest, time.time() - begun)
            time.sleep(0.5)
    print(f"# terminals-apart: latest change with a silent database after {latest:.2f} s")
    assert latest < 0.5
    wait_until(lambda: stats(stack)["database_up"], 20, "the database")


# is_where_it_came_from() always 1
def what_is_told_goes_to_nobody_but_who_asked(stack):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as victim, socket.socket() as listener:
        victim.bind(("127.0.0.90", 0))
        listener.bind(("127.0.0.90", 0))
        listener.listen()
        for contact in (f"sip:x@127.0.0.90:{victim.getsockname()[1]}", f"sip:x@127.0.0.90:{listener.getsockname()[1]};transport=tcp"):
            agent = stack.agent("tech1")
            own, agent.contact = agent.contact, contact
            dialog, reply = agent.subscribe()
            assert reply.status == 200, reply.first
            assert agent.notify(dialog).document().state == "full", "it is told at where it asked from"
            agent.subscribe(dialog=dialog, expires=0)
            assert agent.register().status == 200
            agent.contact = own
        for source in (victim, listener):
            source.setblocking(False)
            assert not select.select([source], [], [], 0.5)[0], "somebody else hears of it"
        agent = stack.agent("tech1")
        _, reply = agent.subscribe(headers=f"Event: bmd-alert\nRecord-Route: <sip:127.0.0.90:{victim.getsockname()[1]};lr>\n")
        assert reply.status == 400, reply.first


# bmd_unpredictable() does nothing: all of them
def nobody_can_tell_the_branch_of_the_next_notify(stack):
    """tm takes one number of rand() for it; glibc's is the sum of the 3rd and 31st before it, of the same process."""
    agent = stack.agent("tech1")
    dialog, _ = agent.subscribe()
    agent.notify(dialog)
    messages = []
    for value in (80, 97) * 40:
        hand(stack, f"OX-1001 SpO2={value}")
        messages.append(agent.notify(dialog))
    numbers = [int(re.search(r"branch=z9hG4bK\w+\.([0-9a-f]{8})", m.get("via")).group(1)[::-1], 16)
               for m in messages]
    assert len(numbers) >= 80 and len(set(numbers)) == len(numbers), numbers
    follow = [i for i in range(31, len(numbers)) if (numbers[i] - numbers[i - 3] - numbers[i - 31]) % 2**31 in (0, 1)]
    assert not follow, f"{len(follow)} of {len(numbers) - 31} follow from the ones before"


def every_notify_of_a_dialog_is_from_the_feed(stack):
    terminal = stack.agent("tech2")
    feed = f"sip:{GROUP}@{stack.info['domain']}"
    dialog, _ = terminal.subscribe(feed)
    seen = [terminal.notify(dialog)]
    for expires in (600, 0):
        _, reply = terminal.subscribe(dialog=dialog, expires=expires)
        assert reply.status == 200, reply.first
        seen.append(terminal.notify(dialog))
    while not seen[-1].get("subscription-state").startswith("terminated"):
        seen.append(terminal.notify(dialog))  # the end of an alert before came between
    for message in seen:
        value = message.get("from")
        assert value.startswith(f"<{feed}>") and "tag=" + dialog.remote_tag in value, value
        assert b"~" not in message.raw.split(b"\r\n\r\n")[0], message.raw


def who_is_no_longer_entitled_learns_nothing_more(stack):
    watcher = Watcher(stack, "tech2", GROUP)
    hand(stack, "OX-1001 SpO2=70")
    watcher.wait(lambda: watcher.open, "the alert")
    stack.sql("DELETE FROM bmd_team_member WHERE username = 'tech2'")
    watcher.wait(lambda: not watcher.open, "an empty state", 2)
    hand(stack, "OX-1001 SpO2=98")
    hand(stack, "OX-1001 SpO2=71")
    watcher.quiet(1.5)
    liar = thief_dialog(watcher.agent, watcher, "sip:tech2@" + stack.info["domain"])
    liar.remote_tag, liar.target = watcher.dialog.remote_tag, watcher.dialog.target
    for dialog in (watcher.dialog, liar):
        _, reply = watcher.agent.subscribe(dialog=dialog)
        assert reply.status == 403, reply.first
    watcher.dialog._cseq = liar._cseq
    _, reply = watcher.agent.subscribe(dialog=watcher.dialog, expires=0)
    assert reply.status == 200, reply.first
    last = watcher.agent.notify(watcher.dialog)
    assert not last.body or not last.document().alerts, last.body
    hand(stack, "OX-1001 SpO2=98")
    stack.sql("INSERT INTO bmd_team_member (team_name, username) VALUES ('night', 'tech2')")
    stranger = stack.agent("tech2")
    wait_until(lambda: stranger.subscribe(f"sip:{GROUP}@{stack.info['domain']}", expires=0)[1].status
               == 200, 2, "the entitlement")


def what_was_removed_while_the_server_was_down_leaves_the_screens(stack):
    watcher = Watcher(stack, "tech2", GROUP)
    device = Watcher(stack, "tech1", "dev.VENT-840-1")
    hand(stack, "OX-1001 SpO2=70")
    hand(stack, "VENT-840-1 Ppeak=80")
    watcher.wait(lambda: watcher.open, "the alert")
    device.wait(lambda: device.open, "the alert")
    kept = f"SELECT count(*) FROM active_watchers WHERE callid IN ('{watcher.dialog.call_id}', '{device.dialog.call_id}')"
    wait_until(lambda: stack.sql(kept) == [["2"]], 5, "both subscriptions in the database")
    stack.kill9()
    for terminal in (watcher, device):
        terminal.pump(0.2)
    stack.sql("DELETE FROM bmd_device WHERE serial IN ('OX-1001', 'VENT-840-1')")
    stack.restart()
    watcher.version = device.version = None  # counted on by a large step
    watcher.wait(lambda: not watcher.open, "the end of the alert")
    device.wait(lambda: not device.open, "the end of the alert")
    assert stats(stack)["subscriptions"] >= 2


run("terminals-apart", [nobody_can_tell_the_branch_of_the_next_notify,  # while nobody else is told anything
                        one_that_cannot_be_sent_to_silences_nobody,
                        a_transport_this_server_does_not_have_is_refused,
                        a_contact_that_is_a_name_is_where_the_request_came_from,
                        one_that_does_not_answer_is_no_burden_for_the_others,
                        nobody_takes_over_the_dialog_of_another,
                        a_fetch_with_the_identifiers_of_another_ends_nothing,
                        the_same_request_again_makes_no_second_dialog,
                        a_refused_request_changes_nothing,
                        alerts_of_others_hold_up_none,
                        what_is_told_goes_to_nobody_but_who_asked,
                        every_notify_of_a_dialog_is_from_the_feed,
                        who_is_no_longer_entitled_learns_nothing_more,
                        a_database_that_falls_silent_stops_no_alert,
                        what_was_removed_while_the_server_was_down_leaves_the_screens],
    errors_expected=True)
