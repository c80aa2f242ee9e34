"""sealed_sipp.py - sipp with a sealed body; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import re
import subprocess

from sealing import DOMAIN
from sip import Message
from stack import free_port

HERE = os.path.dirname(os.path.abspath(__file__))


def sipp(stack, user, body):
    """What sipp received while it played sealed.xml with this file as body; AssertionError when that fails."""
    with open(os.path.join(HERE, "sealed.xml")) as file:
        scenario = file.read().replace("@BODY@", body)
    password = {t["username"]: t["password"] for t in stack.info["technicians"]}[user]
    name = f"{stack.dir}/sealed"
    with open(name + ".xml", "w") as file:
        file.write(scenario)
    with open(os.open(name + ".csv", os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
        file.write(f"SEQUENTIAL\n{user};[authentication username={user} password={password}]\n")
    done = subprocess.run(
        ["sipp", f"{stack.server[0]}:{stack.info['md5_port']}", "-sf", name + ".xml", "-inf", name + ".csv", "-key", "domain",
         DOMAIN, "-i", "127.0.0.1", "-p", str(free_port()), "-m", "1", "-recv_timeout", "3000", "-timeout", "20s",
         "-timeout_error", "-nostdin", "-trace_err", "-error_file", name + ".err", "-trace_msg", "-message_file",
         name + ".msg"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=40, cwd=stack.dir)
    if done.returncode != 0:
        said = open(name + ".err", errors="replace").read() if os.path.exists(name + ".err") else ""
        raise AssertionError(f"sipp ends with {done.returncode}: {' '.join(said.split())[:600]}")
    with open(name + ".msg", "rb") as file:
        text = file.read()
    return [Message(text[m.end():m.end() + int(m.group(1))])
            for m in re.finditer(rb"UDP message received \[(\d+)\] bytes ?:\n\n", text)]
