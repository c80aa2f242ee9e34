"""The short form of make torture; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FAULTS = 28
NOT_PERMITTED = 77

command = [sys.executable, os.path.join(HERE, "..", "..", "torture", "torture.py"), "--faults", str(FAULTS), "--case",
           "torture-short"]
if os.environ.get("SEED"):
    command += ["--seed", os.environ["SEED"]]
status = subprocess.run(command).returncode
if status == NOT_PERMITTED:
    print("ok torture-short: # SKIP: this machine does not permit it, see the line above")
sys.exit(0 if status == NOT_PERMITTED else status)
