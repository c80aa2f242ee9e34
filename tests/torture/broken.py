"""broken.py - broken builds under torture: the campaign must find what is wrong with each.

SPDX-License-Identifier: GPL-2.0-or-later
Usage: broken.py [BUILD...]       of dedupe and watermark, made by `make broken BREAK=BUILD`; both by default
A build whose fault needs a fault at its moment has three campaigns to show it.  Exit: 0 when each was found
out, 1 otherwise, 77 where the machine does not permit campaigns.
"""

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
FAULTS, CAMPAIGNS = 40, 3
NOT_PERMITTED = 77
FINDS = {"dedupe": "stored twice", "watermark": "readings lost"}  # what each does wrong


def campaign(build):
    """(status, how many of what it does wrong were found)."""
    done = subprocess.run([sys.executable, os.path.join(HERE, "torture.py"), "--faults", str(FAULTS), "--modules",
                           os.path.join(TOP, "build", "break-" + build), "--case", "broken-" + build],
                          stdout=subprocess.PIPE, text=True, check=False)
    with open(os.path.join(TOP, "build", f"torture-{build}.log"), "a", encoding="utf-8") as log:
        log.write(done.stdout)
    found = re.search(rf"^{FINDS[build]}: (\d+)$", done.stdout, re.MULTILINE)
    return done.returncode, int(found.group(1)) if found else 0


def found_out(build):
    for _ in range(CAMPAIGNS):
        status, number = campaign(build)
        if status == NOT_PERMITTED:
            print("# torture-broken: this machine does not permit it")
            sys.exit(NOT_PERMITTED)
        if status == 1 and number > 0:
            print(f"ok torture-broken: a build without {build} is found out: {FINDS[build]}: {number}", flush=True)
            return True
        print(f"# {build}: status {status}, {FINDS[build]}: {number}; see build/torture-{build}.log", flush=True)
    print(f"not ok torture-broken: a build without {build} is found out", flush=True)
    return False


if __name__ == "__main__":
    results = [found_out(build) for build in sys.argv[1:] or FINDS]
    sys.exit(0 if all(results) else 1)
