"""Drives sipp through the scenarios beside it; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
from stack import free_port, run

WRONG = "this-is-not-the-password"


def credentials(stack, user, password=None):
    known = {t["username"]: t["password"] for t in stack.info["technicians"]}
    path = os.path.join(stack.dir, "sipp.csv")
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"SEQUENTIAL\n{user};[authentication username={user} "
                   f"password={password or known[user]}]\n")
    return path


def sipp(stack, scenario, user="tech1", feed=None, password=None):
    """AssertionError with what sipp wrote about the call when the scenario fails."""
    errors = os.path.join(stack.dir, scenario + ".errors")
    done = subprocess.run(
        ["sipp", f"{stack.server[0]}:{stack.info['md5_port']}", "-sf", f"{HERE}/{scenario}.xml",
         "-inf", credentials(stack, user, password), "-key", "domain", stack.info["domain"],
         "-key", "feed", feed or user, "-i", "127.0.0.1", "-p", str(free_port()), "-m", "1",
         "-recv_timeout", "3000", "-timeout", "20s", "-timeout_error", "-nostdin",
         "-trace_err", "-error_file", errors],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=40, cwd=stack.dir)
    if done.returncode != 0:
        said = ""
        if os.path.exists(errors):
            with open(errors, errors="replace") as file:
                said = " ".join(file.read().split())[:600]
        raise AssertionError(f"sipp ends with {done.returncode}: {said}")


def subscribe_and_full_state(stack):
    sipp(stack, "full")


def a_device_feed_and_a_group_feed(stack):
    sipp(stack, "full", feed="dev.OX-1001")
    sipp(stack, "full", feed="grp.oximetry")
    sipp(stack, "full", user="tech2", feed="grp.oximetry")


def refresh(stack):
    sipp(stack, "refresh")


def unsubscribe_with_a_final_notify(stack):
    sipp(stack, "unsubscribe")


def fetch(stack):
    sipp(stack, "fetch")


def unknown_event_gets_489(stack):
    sipp(stack, "unknown-event")


def wrong_accept_gets_406(stack):
    sipp(stack, "wrong-accept")


def too_short_expiry_gets_423(stack):
    sipp(stack, "too-short")


def unknown_dialog_gets_481(stack):
    sipp(stack, "unknown-dialog")


def wrong_password_gets_401_again(stack):
    sipp(stack, "wrong-password", password=WRONG)


def a_user_nobody_knows_gets_401_again(stack):
    sipp(stack, "wrong-password", user="nobody", password=WRONG)


def somebody_elses_feed_gets_403(stack):
    for user, feed in (("tech2", "tech1"), ("tech3", "dev.OX-1001"), ("tech2", "dev.VENT-840-1"),
                       ("tech2", "grp.ventilated"), ("tech1", "dev.NO-SUCH"), ("tech1", "grp.no-such"),
                       ("tech1", "nobody")):
        sipp(stack, "not-your-feed", user=user, feed=feed)


run("sipp-subscription", [
    subscribe_and_full_state, a_device_feed_and_a_group_feed, refresh,
    unsubscribe_with_a_final_notify, fetch, unknown_event_gets_489, wrong_accept_gets_406,
    too_short_expiry_gets_423, unknown_dialog_gets_481, wrong_password_gets_401_again,
    a_user_nobody_knows_gets_401_again, somebody_elses_feed_gets_403],
    "--md5-port", str(free_port()))
