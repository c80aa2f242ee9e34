"""shares.py - what one person, or two together, may have; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import socket

from scene import provisioned
from scenery import alerts_meanwhile, brings_a_reading, comes_in, registers_by_tcp
from sip import Agent
from stack import wait_until
from strangers import LIMITS


def nobody_keeps_all_connections(stack):
    """By TCP there are CONNECTIONS; one person has opened more than a share, each with a registration."""
    most, password = LIMITS["BMD_PERSON_CONNECTIONS"], stack.watchers[1].agent.password
    opened = [Agent(stack.server, "tech2", password, stack.info["domain"], "127.0.0.70", tcp=True) for _ in range(most)]
    stack.agents += opened
    # no contact, of which a person has ten
    assert [one.register(0).status for one in opened] == [200] * most
    assert not any(one.ended for one in opened)
    last = Agent(stack.server, "tech2", password, stack.info["domain"], "127.0.0.70", tcp=True)
    stack.agents.append(last)
    assert last.register(0).status == 200
    wait_until(lambda: opened[0].ended, 3, "the end of the oldest connection")
    assert opened[-1].register(0).status == 200 and last.register(0).status == 200
    for one in (*opened, last):  # each has a buffer in shared memory
        one.close()


def two_people_who_share_their_connections_keep_no_more_of_them(stack):
    def shared():
        agent = Agent(stack.server, "tech2", stack.agent("tech2").password, stack.info["domain"], "127.0.0.72", tcp=True)
        stack.agents.append(agent)
        for name in ("tech2", "tech3"):
            agent.user, agent.password = name, stack.agent(name).password
            assert agent.register(0).status == 200
        return agent
    opened = [shared() for _ in range(LIMITS["BMD_PERSON_CONNECTIONS"])]
    assert not any(one.ended for one in opened)
    last = shared()
    wait_until(lambda: opened[0].ended, 3, "the end of the oldest connection")
    assert not any(one.ended for one in (*opened[1:], last))
    for one in (*opened, last):
        one.close()


def who_comes_back_often_closes_no_other_connection(stack):
    """As a phone with bad reception does, of somebody who has a terminal besides."""
    def registered():
        agent = Agent(stack.server, "tech3", stack.agent("tech3").password, stack.info["domain"], "127.0.0.71", tcp=True)
        stack.agents.append(agent)
        assert agent.register(0).status == 200
        return agent
    steady = registered()
    for _ in range(LIMITS["BMD_PERSON_CONNECTIONS"] + 2):
        registered().close()
    assert steady.register(0).status == 200 and not steady.ended
    steady.close()


def connections_that_a_person_has_the_server_make_leave_room_for_others(stack):
    """To ports of the person's own that take them and say nothing: one for each subscription."""
    stack.sql("INSERT INTO bmd_assignment (username, serial) SELECT 'tech3', serial FROM bmd_device WHERE serial LIKE 'FLOOD-%'")
    provisioned(stack)
    agent = stack.agent("tech3", host="127.0.0.76")
    ports = [socket.create_server(("127.0.0.76", 0), backlog=64) for _ in range(60)]
    dialogs = []
    for port in ports:
        agent.contact = f"sip:tech3@127.0.0.76:{port.getsockname()[1]};transport=tcp"
        dialog, reply = agent.subscribe()
        assert reply.status == 200, reply.first
        dialogs.append(dialog)
    told = alerts_meanwhile(stack, 2)
    took = [comes_in(lambda: registers_by_tcp(stack, "127.0.0.75", 0.5)) for _ in range(10)]
    took.append(comes_in(lambda: brings_a_reading(stack)))
    told += alerts_meanwhile(stack, 2)
    print(f"# flood: {len(ports)} places to connect to: ten others came in after {max(took[:10]):.2f} s at the latest, a collector after {took[10]:.2f} s")
    stack.sql("DELETE FROM bmd_assignment WHERE username = 'tech3'")
    for dialog in dialogs:
        agent.subscribe(dialog=dialog, expires=0)
    for port in ports:
        port.close()
    assert min(told) >= 0, "who was there is told nothing"
