#!/usr/bin/python3
"""services.py - the units under a running systemd, installed as README.md says, on a machine beside this one.

SPDX-License-Identifier: GPL-2.0-or-later
The machine (tests/lib/machine.py) has Debian's PostgreSQL and Kamailio of this one and an address of site.cfg.example.
"""

import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from machine import Machine, NotPossible
from stack import TOP, wait_until

SHARE = "/usr/local/share/bmd-alert"
VERSION = max(os.listdir("/usr/lib/postgresql"), key=float)
SERVER = "192.0.2.10"  # of site.cfg.example
SECRET = "a long secret from a generator"
COLLECTOR = """
[server]
url = "http://127.0.0.1:8090/RPC"
collector = "home-1"
[spool]
path = "/var/lib/bmd-collector/collector.db"
[[port]]
device = "/run/oximeter"
driver = "nonin"
serial = "OX-2001"
"""
SCENARIO = """driver = "nonin"
[[step]]
for = 4
values = { SpO2 = 97, PulseRate = 72 }
[[step]]
values = { SpO2 = 80, PulseRate = 72 }
"""


def sql(machine, text):
    return machine.run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", "bmd", text=text, user="postgres").strip()


def put(machine, path, text, owner="root"):
    machine.run("sh", "-c", f"cat > {path} && chown {owner} {path} && chmod 600 {path}", text=text)


def shows(machine, unit, what):
    return machine.run("systemctl", "show", "--value", "--property", what, unit).strip()


def main_of(machine, unit):
    return int(shows(machine, unit, "MainPID"))


def journal(machine, unit):
    return machine.run("journalctl", "--no-pager", "--output=cat", "--unit", unit)


def heard(machine):
    """What bmd-watch has printed, line by line."""
    said = machine.try_run("cat", "/tmp/watch.json").stdout
    return [json.loads(line) for line in said.splitlines() if line.endswith("}")]


def about(machine, state):
    return [alert for line in heard(machine) for alert in line.get("alerts", [])
            if alert.get("serial") == "OX-2001" and alert.get("state") == state]


def the_readme_installs_it(machine):
    machine.run("ip", "address", "add", f"{SERVER}/32", "dev", "lo")
    for cluster in machine.run("pg_lsclusters", "--no-header").splitlines():
        machine.run("pg_dropcluster", *cluster.split()[:2])
    machine.run("pg_createcluster", VERSION, "main", "--locale", "C.UTF-8")
    machine.run("systemctl", "start", f"postgresql@{VERSION}-main")
    machine.run("createdb", "--encoding=UTF8", "--template=template0", "bmd", user="postgres")
    machine.run("bmd-migrate", "--kamailio-schema", "/usr/share/kamailio/postgres", "dbname=bmd", user="postgres")
    sql(machine, "CREATE ROLE kamailio LOGIN; SELECT bmd_grant_server('kamailio');")
    sql(machine, readme("Provision one device").split("```sql\n")[1].split("```")[0])
    for line in re.findall(r"^    (cp .*|useradd .*|systemctl .*)$", readme("As services"), re.M):
        machine.run("bash", "-c", f"cd {SHARE}/kamailio-cfg && {line.replace('--now bmd-collector', 'bmd-collector')}")


def readme(title):
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as file:
        return file.read().split("## " + title)[1].split("\n## ")[0]


def the_server_is_up_and_runs_without_root(machine):
    wait_until(lambda: "OX-2001" in machine.try_run("kamcmd", "-s", "unix:/run/kamailio/kamailio_ctl", "bmd.device", "OX-2001").stdout,
               20, "the device")
    assert shows(machine, "bmd-alert", "ActiveState") == "active"
    main = main_of(machine, "bmd-alert")
    status = dict(line.split(":\t", 1) for line in machine.run("cat", f"/proc/{main}/status").splitlines() if ":\t" in line)
    assert "0" not in status["Uid"].split(), status["Uid"]
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
    assert all(int(status[name], 16) == 0 for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")), status


def within(machine, unit, script):
    """What a process sees in the unit's own view of the files, with the rights of root, but for what the view forbids."""
    return machine.try_run("nsenter", "--target", str(main_of(machine, unit)), "--mount", "sh", "-c", script)


def nothing_is_written_or_seen_but_its_own(machine):
    machine.run("sh", "-c", "echo secret > /tmp/of-others; mkdir -p /home/somebody && echo secret > /home/somebody/file")
    for unit, own in (("bmd-alert", "/run/kamailio"), ("bmd-collector", "/var/lib/bmd-collector")):
        for place in ("/etc", "/usr", "/var", "/boot", "/root"):
            done = within(machine, unit, f"touch {place}/written")
            assert done.returncode != 0, f"{unit} may write in {place}"
        assert within(machine, unit, f"touch {own}/written && rm {own}/written").returncode == 0, own
        assert within(machine, unit, "ls /tmp").stdout == "", "it sees what others have in /tmp"
        assert within(machine, unit, "ls /home").stdout == "", "it sees homes"
        main = f"/proc/{main_of(machine, unit)}"
        others = within(machine, unit, f"setpriv --reuid $(stat -c %u {main}) --regid $(stat -c %g {main}) --clear-groups ls -d /proc/1")
        assert others.returncode != 0, "it sees processes of others"
    disks = within(machine, "bmd-alert", "ls /dev").stdout.split()
    assert "null" in disks and not {"vda", "sda", "kmsg", "mem", "ttyS0"} & set(disks), disks


def a_device_s_bytes_become_an_alert_at_a_terminal(machine):
    put(machine, "/tmp/scenario.toml", SCENARIO)
    put(machine, "/tmp/password", SECRET + "\n")
    machine.start(
        "sh", "-c", f"exec bmd-watch --aor sip:carol@bmd.example --registrar sip:{SERVER}:5060 --local {SERVER}:0 "
        "--password-file /tmp/password --json > /tmp/watch.json 2> /tmp/watch.err")
    wait_until(lambda: any(line.get("state") == "full" for line in heard(machine)), 10, "the first state")
    machine.start("bmd-sim", "--scenario", "/tmp/scenario.toml", "--link", "/run/oximeter", "--wait", stdout=subprocess.DEVNULL)
    wait_until(lambda: machine.try_run("test", "-e", "/run/oximeter").returncode == 0, 5, "the device")
    machine.run("sh", "-c", "chgrp dialout $(readlink /run/oximeter) && chmod 660 $(readlink /run/oximeter)")
    put(machine, "/etc/bmd-collector.toml", COLLECTOR, "bmd-collector")
    machine.run("systemctl", "start", "bmd-collector")
    wait_until(lambda: about(machine, "active"), 20, "the alert")
    wait_until(lambda: int(sql(machine, "SELECT count(*) FROM bmd_reading WHERE value = 80")) > 0, 10, "readings in the database")


def killed_they_are_back_and_nothing_is_lost(machine):
    def numbered():
        return int(sql(machine, "SELECT count(*) FROM bmd_reading"))
    before = {unit: main_of(machine, unit) for unit in ("bmd-alert", "bmd-collector")}
    lines = len(heard(machine))
    for unit, pid in before.items():
        machine.run("kill", "-KILL", str(pid))
        begun = time.monotonic()
        wait_until(lambda: main_of(machine, unit) not in (0, pid) and shows(machine, unit, "ActiveState") == "active", 10, unit)
        print(f"# services: {unit} is back {time.monotonic() - begun:.1f} s after kill -9")
    wait_until(lambda: any(line.get("state") == "full" and line.get("open") == 1 for line in heard(machine)[lines:]), 60, "the alert again")
    seen = numbered()
    wait_until(lambda: numbered() > seen, 20, "new readings")
    assert sql(machine, "SELECT count(*) FROM bmd_alert WHERE serial = 'OX-2001'") == "1"


def the_database_may_be_started_anew(machine):
    server = main_of(machine, "bmd-alert")
    machine.run("systemctl", "restart", f"postgresql@{VERSION}-main")
    seen = int(sql(machine, "SELECT count(*) FROM bmd_reading"))
    wait_until(lambda: int(sql(machine, "SELECT count(*) FROM bmd_reading")) > seen, 20, "new readings")
    assert main_of(machine, "bmd-alert") == server, "the server was started anew, too"


def they_stop_in_order(machine):
    for unit in ("bmd-collector", "bmd-alert"):
        begun = time.monotonic()
        machine.run("systemctl", "stop", unit)
        print(f"# services: {unit} stopped within {time.monotonic() - begun:.1f} s")
        assert (shows(machine, unit, "Result"), shows(machine, unit, "ExecMainStatus")) == ("success", "0"), shows(machine, unit, "Result")
    forbidden = [line for unit in ("bmd-alert", "bmd-collector") for line in journal(machine, unit).splitlines()
                 if "not permitted" in line or "Read-only" in line or "Permission denied" in line]
    assert not forbidden, forbidden[:3]


def main():
    made = subprocess.run(["make", "-s", "-C", TOP, "build", "man"], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        print(f"not ok services: it is built: {made.stderr[-300:]}")
        return 1
    try:
        machine = Machine("sh", "-c", f'make -s -C "{TOP}" install DESTDIR="$0"')
    except NotPossible as why:
        print(f"ok services: # SKIP: {why}")
        return 0
    failed = 0
    try:
        for sentence in (
                the_readme_installs_it, the_server_is_up_and_runs_without_root, a_device_s_bytes_become_an_alert_at_a_terminal,
                nothing_is_written_or_seen_but_its_own, killed_they_are_back_and_nothing_is_lost, the_database_may_be_started_anew,
                they_stop_in_order):
            name = sentence.__name__.replace("_", " ")
            try:
                sentence(machine)
                print(f"ok services: {name}", flush=True)
            except (AssertionError, subprocess.TimeoutExpired) as wrong:
                print(f"not ok services: {name}: {wrong}", flush=True)
                for unit in ("bmd-alert", "bmd-collector"):
                    print("\n".join("# " + line for line in journal(machine, unit).splitlines()[-15:]))
                failed = 1
                break
    finally:
        machine.close()
    return failed


if __name__ == "__main__":
    sys.exit(main())
