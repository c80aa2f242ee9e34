"""Patients' data in logs; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import re
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
from answering import DMP, TEXT, action, control, query
from postgres import cluster
from scene import Watcher, add_device, alerts, batch, every_condition_that_comes_back_is_a_new_alert, hand
from sip import Dialog
from stack import BIN, RpcFault, run, wait_until

NAME, STREET, ROOM = "Walburga Unverwechselbar", "Verschwiegenheitsgasse 4711", "Geheimkammer hinten"
WHY = "Unterwasserkatze"     # what a technician writes may say anything of the patient
VALUE, REFUSED = "71.8125", "66.6875"
SECRETS = [NAME, "Walburga", "Unverwechselbar", STREET, "Verschwiegenheit", ROOM, "Geheimkammer", WHY, VALUE, REFUSED]
DATA = re.compile(r"/(pg|secrets)(/|$)|\.db(-wal|-shm|-journal)?$|/stack\.json$")


def a_patient_with_an_alert_a_watcher_and_a_phone(stack):
    patient = stack.sql(f"INSERT INTO bmd_patient (name, address) VALUES ('{NAME}', '{STREET}') RETURNING patient_id")[0][0]
    add_device(stack, "SECRET-1", location=ROOM, patient=patient, assign="tech1")
    stack.sql("INSERT INTO bmd_assignment (username, serial) VALUES ('tech2', 'SECRET-1')")
    stack.phone = stack.agent("tech2")
    assert stack.phone.register().status == 200
    stack.watcher = Watcher(stack, "tech1")
    hand(stack, f"SECRET-1 SpO2={VALUE}")
    alert = stack.watcher.wait(lambda: stack.watcher.about("SECRET-1"), "the alert")[0]
    # or nothing below would prove anything
    assert any(NAME in str(value) for value in alert.values()) and VALUE in str(alert), alert
    text = stack.phone.wait(lambda m: m.is_request and m.method == "MESSAGE", 10, "a text of the alert")
    assert NAME.encode() in text.body, text.body
    stack.code = alerts(stack, "SECRET-1")[0]["code"]


def answers_and_queries_with_words_of_the_patient(stack):
    agent, to = stack.watcher.agent, f"sip:alert@{stack.info['domain']}"
    for headers, body in (
            (DMP, action(control("SECRET-1", "accept", stack.code, WHY))), (DMP, action(query("SECRET-1", "SpO2", "PatientName"))),
            (DMP, action(query(NAME, "SpO2"))), (DMP, action(control(NAME, STREET, stack.code))),
            (TEXT, f"ok {stack.code} {WHY} {NAME}".encode()), (TEXT, f"{NAME} {STREET}".encode()),
            (TEXT, f"done {stack.code} false".encode()), ("Content-Type: text/html\n", NAME.encode())):
        agent.transact("MESSAGE", to, Dialog(to), headers, body)
    stack.kamcmd("bmd.alert", stack.code)
    stack.kamcmd("bmd.explain", stack.code)
    stack.kamcmd("bmd.dry-run", "SECRET-1")
    stack.kamcmd("bmd.device", "SECRET-1")


def malformed_requests_with_words_of_the_patient(stack):
    agent = stack.watcher.agent
    body = f"<DMPAction><Device>{NAME}</Device><Control>{STREET}".encode()
    for method in ("SUBSCRIBE", "MESSAGE"):
        dialog = Dialog(f"sip:tech1@{stack.info['domain']}")
        agent.transact(method, dialog.to, dialog, "Event: bmd-alert\nAccept: application/dmp\n" + DMP, body)
    words = NAME.replace(" ", "_")
    for line in (f"SECRET-1 SpO2={words}", f"{words} SpO2=97", f"SECRET-1 {words}=97", f"SECRET-1 SpO2={VALUE}{words}", NAME):
        try:
            hand(stack, line)
        except RpcFault:
            pass
    for raw in (NAME.encode(), f'{{"jsonrpc":"2.0","method":"{NAME}","params":["{STREET}"]}}'.encode(), f'{{"{NAME}"'.encode()):
        stack.http(raw)
    host, port = re.search(r"//([^:/]+):(\d+)", stack.info["http"]).groups()
    for where, data in (((host, int(port)), f"POST /RPC HTTP/1.1\r\nContent-Length: -5\r\n\r\n{NAME}"),
                        ((host, int(port)), f"POST /RPC HTTP/1.1\r\nX: {NAME}\r\nContent-Length: 3000000000\r\n\r\n{STREET}"),
                        ((host, int(port)), f"POST /RPC HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{NAME}\r\n{STREET}"),
                        ((host, int(port)), f"POST /RPC HTTP/1.1\r\n{NAME}" + STREET * 60_000),
                        (stack.server, f"MESSAGE sip:x SIP/2.0\r\nX: {NAME}\r\nContent-Length: 3000000000\r\n\r\n{STREET}"),
                        (stack.server, f"MESSAGE sip:x SIP/2.0\r\nVia: SIP/2.0/TCP {NAME};;,;,,\r\nContent-Length: 0\r\n\r\n"),
                        (stack.server, f"SUBSCRIBE sip:x SIP/2.0\r\nContent-Length: many\r\n\r\n{STREET}")):
        with socket.create_connection(where, 5) as one:
            one.settimeout(0.2)
            try:
                one.sendall(data.encode())
                one.recv(1000)
            except OSError:
                pass


def a_collector_that_says_all_it_can(stack):
    link, config = f"{stack.dir}/port", f"{stack.dir}/collector.toml"
    with open(f"{stack.dir}/sim.log", "w") as log:
        stack.start(f"{BIN}/bmd-sim", "--recording", os.path.join(HERE, "..", "..", "data", "nonin", "df2-desaturation.bin"),
                    "--driver", "nonin", "--wait", "--link", link, stdout=log, stderr=log)
    wait_until(lambda: os.path.exists(link), 5, "pseudo-terminal")
    with open(config, "w") as file:
        file.write(f'[server]\nurl = "{stack.info["http"]}"\ncollector = "home"\n[spool]\npath = "{stack.dir}/spool.db"\n'
                   f'[log]\nlevel = "debug"\n[[port]]\ndevice = "{link}"\ndriver = "nonin"\nserial = "SECRET-1"\n')
    with open(f"{stack.dir}/collector.log", "w") as log:
        collector = stack.start(f"{BIN}/bmd-collector", "--config", config, stdout=log, stderr=log)
    wait_until(lambda: int(stack.sql("SELECT count(*) FROM bmd_readings WHERE serial = 'SECRET-1'")[0][0]) > 20, 20, "readings")
    collector.terminate()
    assert collector.wait(10) == 0


def a_row_that_the_database_refuses_and_its_death(stack):
    stack.sql(f"ALTER TABLE bmd_reading ADD CONSTRAINT refused CHECK (value <> {REFUSED})")
    batch(stack, "ward", 1, 1, f"SECRET-1 SpO2={REFUSED} PulseRate={REFUSED}")
    wait_until(lambda: stack.stat("rows_set_aside") > 0, 10, "a row that is set aside")
    cluster(stack, "kill")
    wait_until(lambda: hand(stack, f"SECRET-1 SpO2={VALUE}") and stack.stat("database_up") == 0, 5, "database down")
    agent = stack.watcher.agent
    agent.transact("MESSAGE", f"sip:alert@{stack.info['domain']}", Dialog(f"sip:alert@{stack.info['domain']}"), TEXT,
                   f"ok {alerts(stack, 'SECRET-1')[0]['code']}".encode())
    cluster(stack, "start")
    wait_until(lambda: stack.stat("database_up") == 1, 15, "database up")


def the_server_is_killed_and_started_again(stack):
    stack.kill9()
    stack.restart()
    assert alerts(stack, "SECRET-1")
    stack.restart()


def written(stack):
    """(name, text) of everything that was written but for the data itself."""
    folders = [stack.dir, os.path.dirname(stack.info["ctl"].removeprefix("unix:"))]
    for folder in folders:
        for where, names, files in os.walk(folder):
            names[:] = [name for name in names if not DATA.search(f"{where}/{name}")]
            for name in files:
                path = f"{where}/{name}"
                if DATA.search(path) or not os.path.isfile(path):
                    continue
                with open(path, encoding="utf-8", errors="replace") as file:
                    yield path, file.read()
    for command in (("stats.get_statistics", "all"), ("bmd.stats",), ("tm.stats",), ("core.info",), ("core.tcp_list",), ("pkg.stats",)):
        done = subprocess.run(["kamcmd", "-s", stack.info["ctl"], *command], capture_output=True, text=True, timeout=20)
        yield "kamcmd " + command[0], done.stdout + done.stderr


def nothing_that_was_written_says_anything_of_the_patient(stack):
    found, sizes = [], {}
    for name, text in written(stack):
        sizes[name] = len(text)
        for secret in SECRETS:
            for form in (secret, secret.replace(" ", "_"), secret.replace(" ", "%20")):
                at = text.find(form)
                if at >= 0:
                    found.append(f"{name}: ...{text[max(0, at - 120):at + 60]!r}")
                    break
    logs = [name for name, size in sizes.items() if name.endswith(".log") and size > 0]
    print(f"# nothing-of-patients: {len(sizes)} outputs of {sum(sizes.values())} bytes, among them {', '.join(os.path.basename(l) for l in logs)}")
    assert len(logs) >= 3 and any(l.endswith("kamailio.log") for l in logs), sizes
    assert not found, f"{len(found)}: " + "; ".join(found[:5])


run("nothing-of-patients", [
    every_condition_that_comes_back_is_a_new_alert, a_patient_with_an_alert_a_watcher_and_a_phone, answers_and_queries_with_words_of_the_patient,
    malformed_requests_with_words_of_the_patient, a_collector_that_says_all_it_can, a_row_that_the_database_refuses_and_its_death,
    the_server_is_killed_and_started_again, nothing_that_was_written_says_anything_of_the_patient], errors_expected=True)
