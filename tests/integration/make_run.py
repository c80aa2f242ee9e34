#!/usr/bin/python3
"""make_run.py - what `make run` shows, as it shows it, and that it fails when something of it is missing.

SPDX-License-Identifier: GPL-2.0-or-later
Runs the command behind `make run` for 20 s, in a folder and on ports of its own.
"""

import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from stack import TOP, free_port

RUN = os.path.join(TOP, "tools", "bmd-run")
STORY = """08:00:05  raised
08:00:09  escalated through step 2: tech2
08:00:11  accepted  by tech2 through dmp: on my way
08:00:17  cleared
"""


def shown(directory):
    """(exit status, what is printed) of a run of 20 s."""
    environment = {**os.environ, "DURATION": "20", "RUN_DIR": os.path.join(directory, "run"),
                   "SIP_PORT": str(free_port()), "HTTP_PORT": str(free_port())}
    child = subprocess.Popen(["bash", os.path.join(RUN, "bmd-run")], env=environment, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    try:
        text = child.communicate(timeout=180)[0]
    except BaseException:  # it ends what it started
        child.terminate()
        child.communicate(timeout=30)
        raise
    return child.returncode, text


def judged(story):
    """What verdict.sh misses in a story; empty: it is whole."""
    done = subprocess.run(["bash", "-c", f'. "{RUN}/verdict.sh"; story_is_whole || echo "$missing"'], input=story,
                          capture_output=True, text=True, timeout=10)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.strip()


def in_order(text, *patterns):
    """Each matches a line after that of the pattern before it."""
    lines = iter(text.splitlines())
    for pattern in patterns:
        assert any(re.search(pattern, line) for line in lines), f"no '{pattern}' where it belongs in:\n{text[-3000:]}"


def the_story_is_told_in_order_on_the_screen_and_by_the_database(_):
    with tempfile.TemporaryDirectory(prefix="bmd-test.") as directory:
        os.chmod(directory, 0o711)
        status, text = shown(directory)
        left = os.path.exists(os.path.join(directory, "run", "stack"))
    assert status == 0, f"exit status {status}:\n{text[-2000:]}"
    assert not left, "the stack is still there"
    code = re.search(r"^tech2 types: accept (\w+)", text, re.M).group(1)
    in_order(text, rf"^tech1 \| ALERT .*VENT-840-1.*code {code}", rf"^tech2 types: accept {code}")
    screen = "\n".join(line for line in text.splitlines() if line.startswith("tech1 | ") and f"code {code}" in line)
    in_order(screen, "ALERT", "ESCALATED", "ACCEPTED by tech2", "CLEAR")
    story = "\n".join(line for line in text.splitlines() if line.startswith("story | "))
    in_order(story, r"\d  raised", r"\d  escalated through step 2", r"\d  accepted  by tech2 through dmp: on my way",
             r"\d  cleared")
    assert "by tech1" not in story, story
    seconds = [int(h) * 3600 + int(m) * 60 + int(s) for h, m, s in re.findall(r"^story \| (\d+):(\d+):(\d+)", story, re.M)]
    waited = re.search(r"(\d+):(\d+):(\d+)  escalated", story)
    assert (int(waited[1]) * 3600 + int(waited[2]) * 60 + int(waited[3]) - seconds[0]) % 86400 in (3, 4, 5), story


def a_story_that_is_not_whole_is_no_success(_):
    assert judged(STORY) == "", judged(STORY)
    lines = STORY.splitlines(True)
    for number, event in enumerate(("raised", "escalated", "accepted", "cleared")):
        assert event in judged("".join(lines[:number] + lines[number + 1:])), f"without {event}"
    assert "raised escalated accepted cleared" in judged(""), judged("")
    assert "cleared" in judged("".join([lines[0], lines[3], lines[1], lines[2]])), "cleared before it was accepted"
    assert "accepted" in judged(STORY.replace("by tech2", "by tech3")), "accepted by another"
    assert "tech1" in judged(STORY.replace("08:00:17", "08:00:15  silenced  by tech1 through dmp\n08:00:17"))


def main():
    failed = 0
    for sentence in (a_story_that_is_not_whole_is_no_success,
                     the_story_is_told_in_order_on_the_screen_and_by_the_database):
        name = "make run: " + sentence.__name__.replace("_", " ")
        try:
            sentence(None)
            print(f"ok {name}", flush=True)
        except Exception as error:
            failed += 1
            print(f"not ok {name}\n    {type(error).__name__}: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
