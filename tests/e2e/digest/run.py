"""Digest authentication on the wire; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later

Tried, each with one change of the source, and the sentence that then failed:
SHA-256,MD5 in DIGEST of auth.cfg (the first), algorithm_of() without the list (the second), nonce_count 0 in modules.cfg (what was recorded),
is_for() always 1 (another resource), rspauth computed with the method (the proof), is_of_sender() always 1 (further credentials), use_nonce() before compare() (only seen).
"""

import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import digest
from sip import Dialog
from stack import Stack, free_port, run, wait_until

WRONG = "not-the-password-of-anybody"


def challenged(agent, method="REGISTER", uri=None, headers="Expires: 60\n"):
    """A request without credentials: (dialog, uri, reply)."""
    uri = uri or f"sip:{agent.domain}"
    dialog = Dialog(f"sip:{agent.user}@{agent.domain}" if method == "REGISTER" else uri)
    reply = agent._exchange(method, uri, dialog, headers, b"", None, 5, None)
    assert reply.status == 401, reply.first
    return dialog, uri, reply


def send(agent, dialog, uri, line, method="REGISTER", headers="Expires: 60\n", body=b""):
    return agent._exchange(method, uri, dialog, headers, body, line, 5, None)


def at_port(agent, port):
    agent.server = (agent.server[0], port)
    return agent


def sha_256_is_offered_and_nothing_else(stack):
    stack.one = stack.agent("tech1")
    _, _, reply = challenged(stack.one)
    offers = [digest.fields(one) for one in reply.headers["www-authenticate"]]
    assert [(one["algorithm"], one["qop"], one["realm"]) for one in offers] == [("SHA-256", "auth", stack.one.domain)], offers
    assert "authentication-info" not in reply.headers, "a proof for whoever asks"


def md5_is_refused_though_the_password_is_right(stack):
    agent = stack.one
    for algorithm in ("MD5", None):
        dialog, uri, reply = challenged(agent)
        line = digest.credentials(reply.get("www-authenticate"), "tech1", agent.password, "REGISTER", uri, algorithm="MD5")
        line = line if algorithm else line.replace(", algorithm=MD5", "")
        assert send(agent, dialog, uri, line).status == 401
    dialog, uri, reply = challenged(agent)
    line = digest.credentials(reply.get("www-authenticate"), "tech1", agent.password, "REGISTER", uri)
    assert send(agent, dialog, uri, line).status == 200
    assert stack.stat("digest_md5") == 0 and stack.stat("digest_refused") == 2


def phones_of_md5_have_a_port_of_their_own(stack):
    agent = at_port(stack.agent("tech2"), stack.info["md5_port"])
    _, _, reply = challenged(agent)
    assert [digest.fields(one)["algorithm"] for one in reply.headers["www-authenticate"]] == ["MD5"]
    assert agent.register().status == 200
    assert stack.stat("digest_md5") == 1


def where_the_site_allows_md5_sha_256_comes_first(_):
    other = Stack("--set", "DIGEST_MD5=1")
    try:
        agent = other.agent("tech1")
        _, _, reply = challenged(agent)
        offers = reply.headers["www-authenticate"]
        assert [digest.fields(one)["algorithm"] for one in offers] == ["SHA-256", "MD5"], offers
        for number, algorithm in enumerate(("SHA-256", "MD5")):
            dialog, uri, reply = challenged(agent)
            offer = reply.headers["www-authenticate"][number]
            line = digest.credentials(offer, "tech1", agent.password, "REGISTER", uri)
            assert send(agent, dialog, uri, line).status == 200, algorithm
    finally:
        other.down()


def what_was_recorded_and_is_sent_again_is_refused(stack):
    agent = stack.one
    dialog, uri, reply = challenged(agent)
    challenge = reply.get("www-authenticate")
    line = digest.credentials(challenge, "tech1", agent.password, "REGISTER", uri)
    assert send(agent, dialog, uri, line).status == 200
    again = send(agent, dialog, uri, line)
    assert again.status == 401 and digest.fields(again.get("www-authenticate")).get("stale") == "true", again.first
    counted = digest.credentials(challenge, "tech1", agent.password, "REGISTER", uri, count=2)
    assert send(agent, dialog, uri, counted).status == 200, "the nonce serves on when it is counted"
    # the count is not covered by a response without qop: it could be made up
    dialog, uri, reply = challenged(agent)
    bare = digest.credentials(reply.get("www-authenticate"), "tech1", agent.password, "REGISTER", uri, qop=False)
    for line in (bare, bare + ', nc=00000001, cnonce="x"'):
        assert send(agent, dialog, uri, line).status == 401, line


def a_digest_for_another_resource_is_none_for_this_one(stack):
    agent, target = stack.one, f"sip:tech1@{stack.one.domain}"
    headers = "Event: bmd-alert\nAccept: application/dmp\nExpires: 0\n"
    for meant in (f"sip:tech2@{agent.domain}", f"sip:dev.OX-1001@{agent.domain}", "sip:tech1@elsewhere.example", "sip:elsewhere.example"):
        dialog, uri, reply = challenged(agent, "SUBSCRIBE", target, headers)
        line = digest.credentials(reply.get("www-authenticate"), "tech1", agent.password, "SUBSCRIBE", meant)
        assert send(agent, dialog, uri, line, "SUBSCRIBE", headers).status == 401, meant


def an_old_nonce_is_answered_with_a_new_one(stack):
    agent = stack.one
    dialog, uri, reply = challenged(agent)
    late = digest.credentials(reply.get("www-authenticate"), "tech1", agent.password, "REGISTER", uri, count=0x1000)
    reply = send(agent, dialog, uri, late)
    terms = digest.fields(reply.get("www-authenticate"))
    assert (reply.status, terms.get("stale"), terms["algorithm"]) == (401, "true", "SHA-256"), reply.first
    line = digest.credentials(reply.get("www-authenticate"), "tech1", agent.password, "REGISTER", uri)
    assert send(agent, dialog, uri, line).status == 200
    forged = line.replace(terms["nonce"], terms["nonce"][:-6] + "AAAAAA")
    reply = send(agent, dialog, uri, forged)
    assert reply.status == 401, reply.first


def who_has_only_seen_a_nonce_uses_it_up_for_nobody(stack):
    agent = stack.one
    for wrong in (lambda line: line.replace('response="', 'response="0'), lambda line: re.sub(r"cnonce=.*$", 'cnonce="x"', line),
                  lambda line: line.replace('username="tech1"', 'username="tech2"')):
        dialog, uri, reply = challenged(agent)
        challenge = reply.get("www-authenticate")
        used_up = digest.credentials(challenge, "tech1", WRONG, "REGISTER", uri, count=255)
        reply = send(agent, Dialog(f"sip:tech1@{agent.domain}"), uri, wrong(used_up))
        assert reply.status == 401 and "stale" not in reply.get("www-authenticate"), reply.get("www-authenticate")
        line = digest.credentials(challenge, "tech1", agent.password, "REGISTER", uri)
        assert send(agent, dialog, uri, line).status == 200


def a_nonce_of_another_server_is_answered_as_an_old_one_to_who_knows_the_password(stack):
    agent = stack.one
    dialog, uri, reply = challenged(agent)
    challenge = reply.get("www-authenticate")
    nonce = digest.fields(challenge)["nonce"]
    foreign = challenge.replace(nonce, nonce[:20] + nonce[20:][::-1])
    for password, stale in ((agent.password, "true"), (WRONG, None)):
        line = digest.credentials(foreign, "tech1", password, "REGISTER", uri)
        reply = send(agent, dialog, uri, line)
        assert (reply.status, digest.fields(reply.get("www-authenticate")).get("stale")) == (401, stale), reply.get("www-authenticate")


def every_answer_proves_that_the_server_knows_the_password(stack):
    agent, me = stack.one, f"sip:tech1@{stack.one.domain}"
    subscribe = "Event: bmd-alert\nAccept: application/dmp\nExpires: 0\n"
    for method, uri, headers, body, status in (
            ("REGISTER", f"sip:{agent.domain}", "Expires: 60\n", b"", 200), ("SUBSCRIBE", me, subscribe, b"", 200),
            ("SUBSCRIBE", f"sip:tech2@{agent.domain}", subscribe, b"", 403),
            ("MESSAGE", f"sip:alert@{agent.domain}", "Content-Type: text/plain\n", b"help", 200)):
        dialog, uri, reply = challenged(agent, method, uri, headers)
        line = digest.credentials(reply.get("www-authenticate"), "tech1", agent.password, method, uri)
        reply = send(agent, dialog, uri, line, method, headers, body)
        assert reply.status == status, f"{method}: {reply.first}"
        terms, info = digest.fields(line.partition(": ")[2]), digest.fields(reply.get("authentication-info"))
        expected = digest.response("SHA-256", "tech1", agent.password, "", terms)
        assert (info["rspauth"], info["qop"], info["nc"], info["cnonce"]) == (expected, "auth", terms["nc"], terms["cnonce"]), info


def attempt(agent, user, password):
    """(bytes of the answer to credentials, without what is of this attempt only; seconds it took)."""
    dialog, uri, reply = challenged(agent)
    line = digest.credentials(reply.get("www-authenticate"), user, password, "REGISTER", uri, cnonce="c0ffee")
    begun = time.perf_counter()
    reply = send(agent, dialog, uri, line)
    took = time.perf_counter() - begun
    assert reply.status == 401, reply.first
    text = reply.raw.decode()
    for part in (r'nonce="[^"]+"', r"branch=[^;\s]+", r"tag=[^;\s]+", r"(?m)^Call-ID: .*$"):
        text = re.sub(part, "", text)
    return text.replace(user, "USER"), took


def who_is_not_known_gets_what_a_wrong_password_gets(stack):
    agent = stack.one
    answers, times = {}, {}
    for _ in range(60):
        for user in ("tech1", "techX"):
            agent.user = user
            text, took = attempt(agent, user, WRONG)
            answers.setdefault(user, set()).add(text)
            times.setdefault(user, []).append(took)
    agent.user = "tech1"
    assert answers["tech1"] == answers["techX"] and len(answers["tech1"]) == 1, answers
    # the quickest tenth: the machine does other things, too
    known, unknown = (sorted(times[user])[5] for user in ("tech1", "techX"))
    assert 0.5 < known / unknown < 2, f"{known * 1e6:.0f} us for who is known, {unknown * 1e6:.0f} for who is not"
    # right for nobody: the zeros that are compared with
    zeros = {"realm": agent.domain, "uri": f"sip:{agent.domain}", "nc": "00000001", "cnonce": "x"}
    agent.user = "techX"
    dialog, uri, reply = challenged(agent)
    zeros["nonce"] = digest.fields(reply.get("www-authenticate"))["nonce"]
    hashed = lambda text: digest.HASHES["SHA-256"](text.encode()).hexdigest()
    ha2 = hashed(f"REGISTER:{uri}")
    response = hashed(f"{'0' * 64}:{zeros['nonce']}:00000001:x:auth:{ha2}")
    line = (f'Authorization: Digest username="techX", realm="{agent.domain}", nonce="{zeros["nonce"]}", uri="{uri}", '
            f'response="{response}", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="x"')
    assert send(agent, dialog, uri, line).status == 401, "zeros let somebody in"
    agent.user = "tech1"


def transactions(stack):
    return int(re.search(r"current: (\d+)", stack.kamcmd("tm.stats")).group(1))


def nothing_is_kept_for_whoever_has_proved_no_password(stack):
    wait_until(lambda: transactions(stack) == 0, 10, "the end of earlier transactions")
    agent, headers = stack.one, "Event: bmd-alert\nAccept: application/dmp\nExpires: 600\n"
    before = stack.stat("subscriptions")
    for _ in range(20):
        for method in ("SUBSCRIBE", "MESSAGE", "REGISTER"):
            dialog, uri, reply = challenged(agent, method, f"sip:tech1@{agent.domain}", headers)
            line = digest.credentials(reply.get("www-authenticate"), "tech1", WRONG, method, uri)
            assert send(agent, dialog, uri, line, method, headers).status == 401
    assert transactions(stack) == 0 and stack.stat("subscriptions") == before


def as_another(agent, other, method, uri, headers, body, beside):
    """Status of a request from `other` with the right digest of `agent`; beside(line): all lines of credentials."""
    dialog = Dialog(f"sip:{other}@{agent.domain}" if method == "REGISTER" else uri)
    reply = agent._exchange(method, uri, dialog, headers, b"", None, 5, other)
    line = digest.credentials(reply.get("www-authenticate"), agent.user, agent.password, method, uri)
    return agent._exchange(method, uri, dialog, headers, body, "\n".join(beside(line)), 5, other).status


def who_brings_the_name_of_another_in_further_credentials_is_not_the_other(stack):
    agent, me = stack.one, f"sip:tech2@{stack.one.domain}"
    named = 'Digest username="tech2", realm="{}", nonce="x", uri="sip:x", response="00", algorithm=SHA-256'
    proxy, foreign = "Proxy-Authorization: " + named.format("x"), "Authorization: " + named.format("elsewhere")
    there = stack.stat("subscriptions")
    for method, uri, headers, body in (
            ("REGISTER", f"sip:{agent.domain}", "Expires: 60\n", b""),
            ("SUBSCRIBE", me, "Event: bmd-alert\nAccept: application/dmp\nExpires: 600\n", b""),
            ("MESSAGE", f"sip:alert@{agent.domain}", "Content-Type: text/plain\n", b"help")):
        for beside in (lambda line: [line], lambda line: [proxy, line], lambda line: [line, proxy],
                       lambda line: [foreign, line], lambda line: [line, foreign]):
            status = as_another(agent, "tech2", method, uri, headers, body, beside)
            assert status == 403, f"{method}: {status} to {[one[:60] for one in beside('own')]}"
            # and whoever is oneself may have credentials for others, too
            if method == "REGISTER":
                own = lambda line: [one.replace('"tech2"', '"tech9"') for one in beside(line)]
                assert as_another(agent, "tech1", method, uri, headers, body, own) == 200
    assert stack.stat("subscriptions") == there


def the_name_may_have_the_domain_with_it(stack):
    agent = stack.one
    for name, status in ((f"tech1@{agent.domain}", 200), ("tech1@elsewhere.example", 401)):
        dialog, uri, reply = challenged(agent)
        line = digest.credentials(reply.get("www-authenticate"), name, agent.password, "REGISTER", uri)
        assert send(agent, dialog, uri, line).status == status, name


def a_password_from_before_sha_256_is_said_and_lets_in_by_md5_only(stack):
    stack.sql("UPDATE subscriber SET ha1_sha256 = '', ha1b_sha256 = '' WHERE username = 'tech3'")
    stack.restart()
    assert "1 people have a password from before SHA-256" in stack.log()
    agent = stack.agent("tech3")
    assert agent.register().status == 401
    assert at_port(agent, stack.info["md5_port"]).register().status == 200
    stack.sql(f"SELECT bmd_set_password('tech3', '{agent.domain}', '{agent.password}')")
    at_port(agent, stack.server[1])
    wait_until(lambda: agent.register().status == 200, 3, "the digest by SHA-256")


run("digest", [
    sha_256_is_offered_and_nothing_else, md5_is_refused_though_the_password_is_right,
    phones_of_md5_have_a_port_of_their_own, where_the_site_allows_md5_sha_256_comes_first,
    what_was_recorded_and_is_sent_again_is_refused, a_digest_for_another_resource_is_none_for_this_one,
    an_old_nonce_is_answered_with_a_new_one, who_has_only_seen_a_nonce_uses_it_up_for_nobody,
    a_nonce_of_another_server_is_answered_as_an_old_one_to_who_knows_the_password, every_answer_proves_that_the_server_knows_the_password,
    who_is_not_known_gets_what_a_wrong_password_gets, nothing_is_kept_for_whoever_has_proved_no_password,
    who_brings_the_name_of_another_in_further_credentials_is_not_the_other,
    the_name_may_have_the_domain_with_it, a_password_from_before_sha_256_is_said_and_lets_in_by_md5_only],
    "--md5-port", str(free_port()))
