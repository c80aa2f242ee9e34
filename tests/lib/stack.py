"""stack.py - a private bmd-stack for one test case, and the words a case is written in.

SPDX-License-Identifier: GPL-2.0-or-later
A case is a list of functions whose names are sentences; run() prints "ok CASE: sentence" or
"not ok CASE: sentence" for each, and ends exactly what it started.
"""

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request

import sip

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.join(TOP, "build", "bin")
_kept_ports = []


def free_port():
    """A port nobody uses, for UDP and TCP.  No other test on this machine is given it while this process lives.

    Not one that the system gives to sockets that ask for any: a server that is killed wants its own again.
    """
    while True:
        port = random.randrange(10_000, 32_768)
        ours = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            ours.bind(f"\0bmd-test-port-{port}")
        except OSError:
            ours.close()
            continue
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                ours.close()
                continue
        _kept_ports.append(ours)
        return port


def wait_until(condition, timeout=5, what="condition"):
    """Waits for a condition, asking often; its value, or AssertionError after `timeout` seconds."""
    until = time.time() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.time() > until:
            raise AssertionError(f"{what} did not come within {timeout} s")
        time.sleep(0.02)


class RpcFault(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code} {message}")
        self.code, self.message = code, message


class Stack:
    """PostgreSQL and Kamailio of their own, sample provisioning, in a temporary folder."""

    def __init__(self, *arguments):
        self.dir = tempfile.mkdtemp(prefix="bmd-test.")
        os.chmod(self.dir, 0o755)
        self.children = []
        self.agents = []
        try:
            self.info = self._stack("up", "--sip-port", str(free_port()), "--http-port",
                                    str(free_port()), *arguments)
        except BaseException:  # what did start must not be left behind
            try:
                self.down()
            except AssertionError:  # there was not even a stack to end
                shutil.rmtree(self.dir, ignore_errors=True)
            raise
        self.server = (self.info["sip_host"], self.info["sip_port"])

    def _stack(self, verb, *arguments):
        done = subprocess.run([os.path.join(TOP, "tools/bmd-stack/bmd-stack"), verb, "--dir",
                               self.dir + "/stack", *arguments], capture_output=True, text=True,
                              timeout=120)
        if done.returncode != 0:
            raise AssertionError(f"bmd-stack {verb}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def down(self):
        for agent in self.agents:
            agent.close()
        for child in self.children:
            if child.poll() is None:
                child.terminate()
                try:
                    child.wait(5)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        self._stack("down")
        shutil.rmtree(self.dir, ignore_errors=True)

    def kill9(self):
        self._stack("kill9")

    def restart(self):
        self.info = self._stack("restart")

    # the four sides of it

    def rpc(self, method, *params):
        """JSON-RPC over HTTP: the result, or RpcFault."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        answer = json.loads(self.http(body.encode())[1])
        if "error" in answer:
            raise RpcFault(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]

    def http(self, body, headers=None):
        """(status, body) of a POST to the intake."""
        request = urllib.request.Request(self.info["http"], body, headers or
                                         {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def kamcmd(self, *arguments):
        """What kamcmd prints; AssertionError with its words when it says error."""
        done = subprocess.run(["kamcmd", "-s", self.info["ctl"], *arguments], capture_output=True,
                              text=True, timeout=20)
        text = done.stdout + done.stderr
        if done.returncode != 0 or text.startswith("error"):
            raise AssertionError(f"kamcmd {arguments[0]}: {text.strip()}")
        return text

    def report(self, line):
        """One reading by hand."""
        return self.kamcmd("bmd.report", line)

    def stat(self, name):
        for line in self.kamcmd("bmd.stats").splitlines():
            key, _, value = line.strip().partition(": ")
            if key == name:
                return int(value)
        raise AssertionError(f"no statistic {name}")

    def sql(self, text):
        """Rows of a query, each a list of strings."""
        done = subprocess.run(["psql", "-X", "-q", "-At", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                               self.info["db"], "-c", text], capture_output=True, text=True,
                              timeout=30)
        if done.returncode != 0:
            raise AssertionError("psql: " + done.stderr.strip())
        return [line.split("\t") for line in done.stdout.splitlines()]

    def agent(self, user, password=None, host="127.0.0.1"):
        """host: its address.  Requests from 127.0.0.1, the server's own, have no limits."""
        known = {t["username"]: t["password"] for t in self.info["technicians"]}
        agent = sip.Agent(self.server, user, password or known.get(user, "unknown"),
                          self.info["domain"], host)
        self.agents.append(agent)
        return agent

    def start(self, *command, **options):
        """A program that lives until the end of the case (or until it ends itself)."""
        child = subprocess.Popen(command, **options)
        self.children.append(child)
        return child

    def log(self):
        with open(self.info["log"], encoding="utf-8", errors="replace") as file:
            return file.read()

    def processes(self):
        """Process ids of Kamailio, the main process first."""
        found = [int(self.info["pid"])]
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    with open(f"/proc/{name}/stat") as file:
                        parent = int(file.read().rsplit(")", 1)[1].split()[1])
                except (OSError, ValueError):
                    continue
                if parent == found[0]:
                    found.append(int(name))
        return found


def log_errors(case, stack, expected=()):
    # Kamailio's TCP processes say so of each other when it is stopped
    expected = ["receive_fd\\(\\): EOF on", *expected]
    errors = [l for l in stack.log().splitlines() if (" ERROR: " in l or " CRITICAL: " in l)
              and not any(re.search(pattern, l) for pattern in expected)]
    print(f"{'not ok' if errors else 'ok'} {case}: the log of Kamailio has no error")
    for line in errors[:5]:
        print("    " + line)
    return 1 if errors else 0


def where(error, sentence):
    """The line of the case in which the error came up, for an assertion without words says nothing else."""
    own = sentence.__code__.co_filename
    lines = [step for step in traceback.extract_tb(error.__traceback__) if step.filename == own]
    return f"line {lines[-1].lineno}: {lines[-1].line}" if lines else "outside of the case"


def run(case, sentences, *arguments, errors_expected=False, kind=Stack):
    """Runs the sentences one after the other on one stack; ends with exit status 1 when one fails.

    errors_expected: the case breaks something on purpose, so the log of Kamailio may say so: True, or the patterns of
    the lines that may come, and no others.
    kind: of the stack, a class derived from Stack.
    """
    failed = 0
    stack = None
    try:
        stack = kind(*arguments)
        for sentence in sentences:
            name = sentence.__name__.replace("_", " ")
            try:
                sentence(stack)
                print(f"ok {case}: {name}", flush=True)
            except Exception as error:  # a failed sentence must not hide the next one
                failed += 1
                print(f"not ok {case}: {name}\n    {type(error).__name__}: {error}\n    {where(error, sentence)}", flush=True)
                if os.environ.get("BMD_TRACE"):
                    traceback.print_exc()
        failed += 0 if errors_expected is True else log_errors(case, stack, errors_expected or ())
    except Exception as error:
        failed += 1
        print(f"not ok {case}: the stack starts\n    {error}", flush=True)
    finally:
        if stack is not None:
            stack.down()
    sys.exit(1 if failed else 0)


def main_signal_guard():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


main_signal_guard()
