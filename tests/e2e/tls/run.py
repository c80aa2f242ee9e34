"""TLS on the wire; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later

Tried, each with one change, and the sentence that then failed: see the comment at each.
"""

import glob
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from sip_tls import TlsAgent, context
from stack import BIN, TOP, free_port, run, wait_until

WRONG = "not-the-password-of-anybody"


def ca(stack, command, *arguments, folder=None, at=None):
    """The first file that bmd-ca makes; `at`: what it takes for the time, as FAKETIME has it."""
    # not the program faketime, whose semaphore may have the name of one that a killed process left
    library = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    environment = {**os.environ, "LD_PRELOAD": library[0], "FAKETIME": at} if at else None
    program = [os.path.join(TOP, "tools/bmd-ca/bmd-ca"), command, "--dir", folder or stack.info["ca"], *arguments]
    for _ in range(3):  # libfaketime stops at a semaphore that a killed process with the same number has left
        done = subprocess.run(program, capture_output=True, text=True, timeout=30, env=environment)
        if "ft_shm_init" not in done.stderr:
            break
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[0]


def reload(stack):
    """Puts the authority's list where Kamailio reads it, and says so."""
    shutil.copy(stack.info["ca"] + "/ca.crl", stack.info["tls"] + "/ca.crl")
    stack.kamcmd("tls.reload")


def trusted(stack, certificate=None):
    return context(stack.info["ca"] + "/ca.crt", certificate)


def terminal(stack, user, certificate=None, password=None):
    known = {t["username"]: t["password"] for t in stack.info["technicians"]}
    agent = TlsAgent((stack.server[0], stack.info["tls_port"]), user, password or known[user], stack.info["domain"],
                     trusted(stack, certificate))
    stack.agents.append(agent)
    return agent


def post(stack, certificate, *params, tls=None):
    """(HTTP status, JSON) of a report by HTTPS."""
    connection = http.client.HTTPSConnection(stack.server[0], int(stack.info["https"].split(":")[2].split("/")[0]),
                                             timeout=10, context=tls or trusted(stack, certificate))
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "bmd.report", "params": list(params)})
    try:
        connection.request("POST", "/RPC", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    finally:
        connection.close()


def batch(stack, text, collector="home-1"):
    stack.seq = getattr(stack, "seq", 0) + 1
    return collector, stack.epoch, str(stack.seq), text


def refused(stack, why, certificate, *params, tls=None):
    before = stack.stat("collectors_refused")
    status, answer = post(stack, certificate, *(params or batch(stack, "OX-1001 SpO2=97")), tls=tls)
    assert status == 403 and why in answer["error"]["message"], f"{status} {answer}"
    assert stack.stat("collectors_refused") > before, "not counted"
    said = [line for line in stack.log().splitlines() if "refused: " + answer["error"]["message"] in line]
    assert said and not any("OX-1001" in line for line in said), said


# method = TLSv1+ in tls.sh; a server that shows another authority's certificate
def the_server_is_known_by_its_certificate_and_speaks_no_old_protocol(stack):
    stack.epoch = str(int(time.time()))
    foreign = ca(stack, "init", "other", folder=stack.dir + "/other-ca")
    for trust, names, fails in ((stack.info["ca"] + "/ca.crt", stack.server[0], False),
                                (stack.info["ca"] + "/ca.crt", "elsewhere.example", True), (foreign, stack.server[0], True)):
        plain = socket.create_connection((stack.server[0], stack.info["tls_port"]), 5)
        try:
            with context(trust).wrap_socket(plain, server_hostname=names) as sock:
                assert not fails and sock.version() in ("TLSv1.2", "TLSv1.3"), f"{names}: {sock.version()}"
        except ssl.SSLCertVerificationError:
            assert fails, names
    warnings.simplefilter("ignore", DeprecationWarning)
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(stack.info["ca"] + "/ca.crt")
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    try:
        plain = socket.create_connection((stack.server[0], stack.info["tls_port"]), 5)
        with old.wrap_socket(plain, server_hostname=stack.server[0]) as sock:
            raise AssertionError("taken: " + sock.version())
    except OSError:
        pass


# PROTO_TLS in pbmd_settle_contact()
def what_is_asked_for_by_tls_is_told_by_the_same_connection_only(stack):
    agent = terminal(stack, "tech1")
    ear = stack.agent("tech1")
    agent.contact = ear.contact  # in clear
    dialog, reply = agent.subscribe(f"sips:tech1@{stack.info['domain']}")
    assert reply.status == 200, reply.first
    assert agent.notify(dialog).document().state == "full"
    stack.report("OX-1001 SpO2=80")
    told = agent.notify(dialog)
    assert told.document().alerts[0]["serial"] == "OX-1001" and "/TLS" in told.get("via"), told.first
    ear.pump(0.3)
    assert not [m for m in ear.received if m.is_request], "told in clear"
    dialog, reply = agent.subscribe(dialog=dialog, expires=0)
    assert reply.status == 200, reply.first
    stack.report("OX-1001 SpO2=97")


# the test of sips in screen.cfg
def sips_without_tls_is_refused(stack):
    agent = stack.agent("tech1")
    for target in (f"sips:tech1@{stack.info['domain']}", f"SIPS:tech1@{stack.info['domain']}"):
        _, reply = agent.subscribe(target)
        assert reply.status == 403 and "TLS" in reply.first, reply.first


# bmd_certificate_of() always true; the test of tls_peer_verified with verify_certificate = no
def a_certificate_stands_for_the_password_of_whom_it_names_and_of_nobody_else(stack):
    domain = stack.info["domain"]
    stack.one = ca(stack, "technician", f"tech1@{domain}")
    agent = terminal(stack, "tech1", stack.one, WRONG)
    reply = agent.register()
    assert reply.status == 200 and reply.cseq == 1, f"{reply.first}, request {reply.cseq}"
    dialog, reply = agent.subscribe()
    assert reply.status == 200 and agent.notify(dialog).document().state == "full", reply.first
    assert agent.subscribe(dialog=dialog, expires=0)[1].status == 200
    agent.user = "tech2"
    assert agent.register().status == 401
    assert stack.stat("certificate_logins") >= 3 and stack.stat("certificate_refused") >= 1
    assert terminal(stack, "tech1", password=WRONG).register().status == 401, "without a certificate"
    assert terminal(stack, "tech1", ca(stack, "technician", "tech9@elsewhere.example"), WRONG).register().status == 401
    assert stack.agent("tech1", WRONG).register().status == 401
    assert terminal(stack, "tech2").register().status == 200, "a password is as good"


# TPTLS_VERIFY_NONE in sip_agent.cpp
def bmd_watch_comes_in_with_a_certificate_and_only_to_the_server_it_trusts(stack):
    info = next(t for t in stack.info["technicians"] if t["username"] == "tech1")
    for name, trust in (("right", stack.info["ca"]), ("wrong", stack.dir + "/other-ca")):
        folder = f"{stack.dir}/watch-{name}"
        os.mkdir(folder, 0o700)
        shutil.copy(trust + "/ca.crt", folder + "/cafile.pem")
        with open(folder + "/agent.pem", "w") as pem:
            pem.write(said(stack.one) + said(stack.one[:-4] + ".key"))
        with open(folder + "/out", "w") as out:
            stack.start(f"{BIN}/bmd-watch", "--aor", info["aor"], "--registrar",
                        f"sip:{stack.server[0]}:{stack.info['tls_port']}", "--transport", "tls", "--tls", folder,
                        "--local", "127.0.0.1:0", "--json", stdout=out, stderr=subprocess.STDOUT)
    wait_until(lambda: '"state":"full"' in said(stack.dir + "/watch-right/out").replace(" ", ""), 10, "the full state")
    stack.report("OX-1001 SpO2=80")
    wait_until(lambda: "OX-1001" in said(stack.dir + "/watch-right/out"), 5, "the alert")
    stack.report("OX-1001 SpO2=97")
    # it takes its time to find out, and must not be asked before
    wait_until(lambda: '"event"' in said(stack.dir + "/watch-wrong/out"), 15, "what it makes of the server")
    assert '"deaf"' in said(stack.dir + "/watch-wrong/out").split("\n")[0], "it trusts anybody"


# bmd_core_is_person() always 1
def a_disabled_technician_is_shut_out_at_once_with_the_connection_open(stack):
    certificate = ca(stack, "technician", f"tech3@{stack.info['domain']}")
    agent = terminal(stack, "tech3", certificate, WRONG)
    assert agent.register().status == 200
    stack.sql("UPDATE bmd_technician SET enabled = false WHERE username = 'tech3'")
    wait_until(lambda: agent.register().status == 401, 15, "the refusal")


def told(agent, seconds):
    """The requests that come within this time."""
    until = time.time() + seconds
    while time.time() < until:
        agent.pump(0.05)
    return [m.method for m in agent.received if m.is_request]


# route(CERTIFICATE) left out of auth.cfg: 200; the timer of rtimer left out of tls.cfg: it is told on
def a_certificate_that_is_revoked_counts_no_more_on_a_connection_that_is_open(stack):
    certificate = ca(stack, "technician", f"tech2@{stack.info['domain']}")
    asking, listening = (terminal(stack, "tech2", certificate, WRONG) for _ in range(2))
    with_password = terminal(stack, "tech2")
    for agent in (asking, listening, with_password):
        dialog, reply = agent.subscribe()
        assert reply.status == 200 and agent.notify(dialog).document().state == "full", reply.first
    ca(stack, "revoke", certificate)
    reload(stack)
    time.sleep(1.1)  # the list is looked at once a second

    def refused_now():
        try:
            return asking.register().first
        except (OSError, AssertionError):
            return "closed"
    first = refused_now()
    assert "403" in first or first == "closed", first
    wait_until(lambda: "is closed: the certificate is not trusted: certificate revoked" in stack.log(), 5, "the line in the log")
    wait_until(lambda: listening.ended, 5, "the end of the connection that is only listened on")
    for agent in (asking, listening, with_password):
        agent.received.clear()
    stack.report("OX-1001 SpO2=80")
    assert told(with_password, 1), "who comes in by password is told nothing either"
    assert not told(asking, 0) and not told(listening, 0), "a revoked certificate is told on"
    stack.report("OX-1001 SpO2=97")


def taken(stack, certificate, tls=None):
    """Does the server take a terminal with this certificate?"""
    try:
        agent = TlsAgent((stack.server[0], stack.info["tls_port"]), "tech1", WRONG, stack.info["domain"],
                         tls or trusted(stack, certificate))
        stack.agents.append(agent)
        agent.send("OPTIONS sip:127.0.0.1 SIP/2.0\nVia: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bK1;rport\nMax-Forwards: 9\n"
                   "From: <sip:a@b>;tag=1\nTo: <sip:c@d>\nCall-ID: 1\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n")
        agent.wait(lambda m: m.status == 200, 2, "answer")
        return True
    except (OSError, AssertionError):
        return False


# verify_certificate = no, and the line crl, in tls.sh
def a_terminal_with_a_certificate_that_is_none_does_not_come_in(stack):
    assert taken(stack, stack.one) and taken(stack, None)
    stack.expired = ca(stack, "collector", "expired", at="-2y")
    folder = stack.dir + "/other-ca"
    stack.foreign = ca(stack, "collector", "home-1", folder=folder)
    for certificate in (stack.expired, stack.foreign):
        assert not taken(stack, certificate), certificate


# assigned_only 0 in tls.cfg; may_report() always true
def a_collector_is_who_its_certificate_says_and_brings_its_own(stack):
    stack.home = ca(stack, "collector", "home-1")
    stack.sql("UPDATE bmd_device SET collector = 'home-1' WHERE serial = 'OX-1001'")
    stack.sql("UPDATE bmd_device SET collector = 'home-2' WHERE serial = 'VENT-840-1'")
    stack.sql("INSERT INTO bmd_device (serial, type_name, location) VALUES ('OX-FREE', 'Nonin oximeter', 'nowhere')")

    def own(text):
        return post(stack, stack.home, *batch(stack, text))[1]

    def known():
        stack.seq = 0  # a collector that brings nothing is not remembered
        return own("OX-1001 SpO2=97").get("result", {}).get("accepted") == 1

    def three():
        told = own("OX-1001 SpO2=97\nVENT-840-1 MVe=7\nOX-FREE SpO2=97")["result"]
        reasons = str(told["refused"])
        return told["accepted"] == 1 and "belongs to another collector" in reasons and "belongs to no collector" in reasons

    wait_until(known, 3, "the devices of home-1")
    wait_until(three, 3, "the refusal of others' devices")
    assert own("VENT-840-1 MVe=7")["error"]["code"] == 400


# the test of the name in bmd_core_check_request(); that of tls_peer_verified in tls.cfg; the line crl in tls.sh
def a_rogue_collector_is_refused_with_the_reason(stack):
    refused(stack, "of another collector", stack.home, *batch(stack, "OX-1001 SpO2=97", "home-2"))
    refused(stack, "of another collector", stack.home, "OX-1001 SpO2=97")  # by hand, without a name
    refused(stack, "names no collector", stack.one)
    refused(stack, "no certificate of an authority", None)
    refused(stack, "no certificate of an authority", stack.foreign)
    refused(stack, "has expired", stack.expired)
    # and HTTP in clear, or SIP, is nothing there
    plain = socket.create_connection((stack.server[0], int(stack.info["https"].split(":")[2].split("/")[0])), 5)
    plain.settimeout(3)
    plain.sendall(b"POST /RPC HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
    try:
        assert b"200" not in plain.recv(100)
    except OSError:
        pass
    plain.close()


def collector(stack, certificate, log):
    """A running bmd-collector with a simulated oximeter."""
    path = stack.dir + "/collector.toml"
    with open(path, "w") as file:
        file.write(f'[server]\nurl = "{stack.info["https"]}"\ncollector = "home-1"\nca = "{stack.info["ca"]}/ca.crt"\n'
                   f'cert = "{certificate}"\nkey = "{certificate[:-4]}.key"\n[spool]\npath = "{stack.dir}/spool.db"\n'
                   f'[[port]]\ndevice = "{stack.dir}/oximeter"\ndriver = "nonin"\nserial = "OX-1001"\n')
    with open(log, "w") as file:
        return stack.start(f"{BIN}/bmd-collector", "--config", path, stdout=file, stderr=subprocess.STDOUT)


def said(path):
    with open(path, errors="replace") as file:
        return file.read()


# 403 made 400 in tls.cfg: then the batch is given up
def a_collector_that_is_refused_says_why_and_loses_nothing(stack):
    folder = stack.dir + "/home-9"
    wrong = ca(stack, "collector", "home-9")
    stack.start(f"{BIN}/bmd-sim", "--driver", "nonin", "--recording", f"{TOP}/tests/data/nonin/df2-desaturation.bin",
                "--loop", "--link", stack.dir + "/oximeter", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: os.path.exists(stack.dir + "/oximeter"), 5, "the oximeter")
    child = collector(stack, wrong, folder + ".log")
    wait_until(lambda: "server refuses this collector: the certificate is of another collector" in said(folder + ".log"),
               8, "the reason in the collector's log")
    before = int(stack.sql("SELECT count(*) FROM bmd_readings WHERE serial = 'OX-1001'")[0][0])
    child.terminate()
    child.wait(10)
    collector(stack, stack.home, folder + ".2.log")
    wait_until(lambda: int(stack.sql("SELECT count(*) FROM bmd_readings WHERE serial = 'OX-1001'")[0][0]) > before,
               8, "the readings that were kept")


# tls.reload left out
def revocations_and_certificates_are_read_again_without_a_restart(stack):
    pid = stack.info["pid"]
    status, answer = post(stack, stack.home, *batch(stack, "OX-1001 SpO2=97"))
    assert status != 403, answer
    open_one = http.client.HTTPSConnection(stack.server[0], int(stack.info["https"].split(":")[2].split("/")[0]), timeout=5,
                                           context=trusted(stack, stack.home))
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "bmd.report", "params": batch(stack, "OX-1001 SpO2=97")})
    open_one.request("POST", "/RPC", body, {"Content-Type": "application/json"})
    assert open_one.getresponse().read()
    ca(stack, "revoke", stack.home)
    ca(stack, "revoke", stack.one)
    reload(stack)
    refused(stack, "is revoked", stack.home)

    def shut_out():
        try:
            open_one.request("POST", "/RPC", body, {"Content-Type": "application/json"})
            answer = open_one.getresponse()
            return answer.read() and answer.status == 403
        except (OSError, http.client.HTTPException):  # the server has ended it: the next request makes a new one
            open_one.close()
            return False

    wait_until(shut_out, 2, "the refusal on a connection from before")
    open_one.close()
    assert not taken(stack, stack.one), "a revoked technician"
    before = ssl.get_server_certificate((stack.server[0], stack.info["tls_port"]))
    fresh = ca(stack, "server", "localhost", stack.server[0])
    for end in ("crt", "key"):
        shutil.copyfile(fresh[:-3] + end, f"{stack.info['tls']}/server.{end}")
    stack.kamcmd("tls.reload")
    assert ssl.get_server_certificate((stack.server[0], stack.info["tls_port"])) != before, "the old certificate"
    assert terminal(stack, "tech2").register().status == 200
    assert stack._stack("status")["pid"] == pid


run("tls", [
    the_server_is_known_by_its_certificate_and_speaks_no_old_protocol,
    what_is_asked_for_by_tls_is_told_by_the_same_connection_only, sips_without_tls_is_refused,
    a_certificate_stands_for_the_password_of_whom_it_names_and_of_nobody_else,
    bmd_watch_comes_in_with_a_certificate_and_only_to_the_server_it_trusts,
    a_disabled_technician_is_shut_out_at_once_with_the_connection_open,
    a_certificate_that_is_revoked_counts_no_more_on_a_connection_that_is_open,
    a_terminal_with_a_certificate_that_is_none_does_not_come_in,
    a_collector_is_who_its_certificate_says_and_brings_its_own, a_rogue_collector_is_refused_with_the_reason,
    a_collector_that_is_refused_says_why_and_loses_nothing,
    revocations_and_certificates_are_read_again_without_a_restart],
    "--tls-port", str(free_port()), "--https-port", str(free_port()),
    errors_expected=True)
