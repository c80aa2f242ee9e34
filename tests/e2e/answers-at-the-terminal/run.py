"""Answers alerts with bmd-watch; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import add_device, alerts, history, no_device_falls_silent_meanwhile, provisioned, raise_on
from stack import run, wait_until
from terminal import Screen, Terminal, command_line


def one_accepts_and_the_other_sees_at_once_who(stack):
    for serial in ("SEAT-1", "SEAT-2", "SEAT-3"):
        add_device(stack, serial, assign="tech1", location="bedroom")
        stack.sql(f"INSERT INTO bmd_assignment (username, serial) VALUES ('tech3', '{serial}')")
    provisioned(stack)
    stack.one, stack.three = Terminal(stack, "tech1"), Terminal(stack, "tech3", "--transport", "tcp")
    stack.code = raise_on(stack, "SEAT-1")
    stack.three.shows(stack.code, response="none")
    result = stack.one.answer(f"accept {stack.code.lower()} on my way")
    assert (result["status"], result["result"], result["alert"]) == (200, "200 OK", stack.code), result
    begun = time.time()
    told = stack.three.shows(stack.code, response="accepted", answered_by="tech1")
    assert told["state"] == "partial" and time.time() - begun < 1, told


def what_is_refused_is_told_with_its_reason(stack):
    result = stack.three.answer(f"accept {stack.code}")
    assert result["status"] == 409 and result["reason"] == "accepted by tech1 already", result
    other = Terminal(stack, "tech2")
    result = other.answer(f"accept {stack.code}")
    assert result["status"] == 403, result
    other.quit()


def a_command_that_cannot_be_read_is_told_and_sends_nothing(stack):
    before = stack.stat("answers") + stack.stat("answers_refused")
    for line, part in (("accept", "takes 1 or 2 Arguments"), ("resolve " + stack.code + " maybe", "actionable"),
                       ("accept everything", "no code"), ("x" * 2000, "too long"), ("sudo " + stack.code, "actions")):
        result = stack.one.answer(line)
        assert result["status"] == 0 and result["action"] == "" and part in result["reason"], result
    assert stack.stat("answers") + stack.stat("answers_refused") == before


def every_command_does_what_it_says(stack):
    for line in (f"silence {stack.code} 60", f"reject {stack.code} stuck", f"accept {stack.code}",
                 f"resolve {stack.code} false the probe"):
        assert stack.one.answer(line)["status"] == 200, line
    wait_until(lambda: history(stack, "SEAT-1") == [["raised", "accepted", "silenced", "rejected", "accepted",
                                                      "resolved"]], 3, "the history")
    stack.three.shows(stack.code, outcome="false")


def a_file_of_commands_is_carried_out_and_quit_waits_for_the_results(stack):
    code = raise_on(stack, "SEAT-2")
    path = stack.dir + "/commands"
    with open(path, "w") as file:
        file.write(f"accept {code}\nquit\n")
    with open(path) as file:
        done = subprocess.run(command_line(stack, "tech3", "--lines"), stdin=file, capture_output=True, text=True,
                              timeout=20)
    assert done.returncode == 0 and f"accept {code}: 200 OK" in done.stdout, done.stdout + done.stderr
    stack.two_code = code


def a_screen_shows_alerts_and_keys_answer_the_chosen_one(stack):
    stack.screen = Screen(stack, "tech1")
    stack.screen.wait("2 open alerts", stack.code, "a accept")
    code = raise_on(stack, "SEAT-3")
    assert "\a" in stack.screen.text or stack.screen.wait(code) and "\a" in stack.screen.text, "no bell"
    stack.screen.wait("3 open alerts", code, "SEAT-3", "SpO2 80 % below limit 90 %", "bedroom")
    stack.screen.press("a")
    stack.screen.wait("Choose an alert first")
    assert history(stack, "SEAT-3") in ([], [["raised"]]), history(stack, "SEAT-3")
    stack.screen.press("/" + code.lower())
    stack.screen.wait("> 3 " + code)
    stack.screen.press("a")
    stack.screen.wait(f"accept {code}: 200 OK", "accepted by tech1")
    stack.three.shows(code, response="accepted", answered_by="tech1")
    stack.screen.press("d")
    stack.screen.wait("Resolve " + code)
    stack.screen.press("t")
    stack.screen.wait("resolved: actionable")
    stack.screen.press("\x1b[Aa")
    stack.screen.wait("409 Conflict")


def a_screen_says_that_the_server_is_away_and_an_answer_is_not_lost_in_silence(stack):
    stack.kill9()
    stack.screen.press("k")
    stack.screen.wait("UNKNOWN", timeout=40)
    stack.screen.wait("NO ANSWER FROM THE SERVER since", timeout=40)
    stack.restart()
    stack.screen.wait("3 open alerts", timeout=30)
    stack.screen.press("/" + alerts(stack, "SEAT-3")[0]["code"] + "s")
    stack.screen.wait("silence", "200 OK", "silenced until", timeout=30)


def a_screen_is_left_with_q_and_the_terminal_is_as_before(stack):
    before = termios.tcgetattr(stack.screen.theirs)[3] & (termios.ICANON | termios.ECHO)
    assert before == 0, "no single keys"
    stack.screen.press("q")
    status = stack.screen.process.wait(15)
    assert status == 0, f"exit status {status}"
    wait_until(lambda: stack.screen.text.rstrip().count("\x1b[?1049l") == 1, 3, "the end of the screen")
    after = termios.tcgetattr(stack.screen.theirs)[3] & (termios.ICANON | termios.ECHO)
    assert after == termios.ICANON | termios.ECHO, f"local modes {after:o}"


run("answers-at-the-terminal", [
    no_device_falls_silent_meanwhile,
    one_accepts_and_the_other_sees_at_once_who, what_is_refused_is_told_with_its_reason,
    a_command_that_cannot_be_read_is_told_and_sends_nothing, every_command_does_what_it_says,
    a_file_of_commands_is_carried_out_and_quit_waits_for_the_results,
    a_screen_shows_alerts_and_keys_answer_the_chosen_one,
    a_screen_says_that_the_server_is_away_and_an_answer_is_not_lost_in_silence,
    a_screen_is_left_with_q_and_the_terminal_is_as_before], errors_expected=True)
