"""part_prometheus.py - what one would pick instead: Prometheus and Alertmanager with a webhook.

SPDX-License-Identifier: GPL-2.0-or-later
The same rule (SpO2 below 90) on as many devices; from the moment the value changes where the system
gets it to the moment the receiver has been told.  Prometheus asks an exporter (ours, of the
benchmark) and tells Alertmanager, which calls a webhook.  With us a collector sends the reading and a
technician's terminal receives the NOTIFY.  Everything on loopback.
"""

import http.server
import json
import os
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

import lib
import provision

DEVICES = 1000

PROMETHEUS = """
global: {{scrape_interval: {every}, scrape_timeout: {every}, evaluation_interval: {every}}}
rule_files: [{folder}/rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{manager}']}}]}}]}}
scrape_configs: [{{job_name: home, static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]}}]
"""
RULES = """
groups:
  - name: limits
    rules: [{alert: low, expr: 'spo2 < 90', for: 0s, labels: {priority: high}}]
"""
MANAGER = """
route: {{receiver: hook, group_by: [device], group_wait: 0s, group_interval: {every}, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: 'http://127.0.0.1:{hook}/', send_resolved: false}}]}}]
"""


class Home(http.server.ThreadingHTTPServer):
    """Exporter (GET) and webhook (POST) in one."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.values = [97.0] * DEVICES
        self.told = {}
        self.scrapes = 0
        self.news = threading.Condition()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *_):
        pass

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        lines = (f'spo2{{device="{i}"}} {v}\n' for i, v in enumerate(self.server.values))
        self.answer("".join(lines).encode())
        self.server.scrapes += 1

    def do_POST(self):
        now = time.monotonic()
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.news:
            for alert in message["alerts"]:
                if alert["status"] == "firing":
                    self.server.told.setdefault(int(alert["labels"]["device"]), now)
            self.server.news.notify_all()
        self.answer(b"")


class Monitoring:
    """Prometheus and Alertmanager in a folder of their own, ended by end()."""

    def __init__(self, every):
        self.home = Home()
        self.folder = tempfile.mkdtemp(prefix="bmd-bench.")
        self.processes = []
        free_port = lib.test_stack.free_port
        manager, server = free_port(), free_port()
        words = {"every": every, "folder": self.folder, "manager": manager,
                 "exporter": self.home.server_port, "hook": self.home.server_port}
        self.write("prometheus.yml", PROMETHEUS.format(**words))
        self.write("rules.yml", RULES)
        self.write("alertmanager.yml", MANAGER.format(**words))
        self.start("prometheus-alertmanager", f"--config.file={self.folder}/alertmanager.yml",
                   f"--storage.path={self.folder}/am", f"--web.listen-address=127.0.0.1:{manager}",
                   "--cluster.listen-address=")
        self.start("prometheus", f"--config.file={self.folder}/prometheus.yml",
                   f"--storage.tsdb.path={self.folder}/db", f"--web.listen-address=127.0.0.1:{server}")
        for port in (manager, server):
            lib.test_stack.wait_until(lambda p=port: self.ready(p), 30, "Prometheus and Alertmanager")
        lib.test_stack.wait_until(lambda: self.home.scrapes > 3, 30, "a scrape")

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self, *command):
        with open(os.path.join(self.folder, command[0] + ".log"), "w", encoding="utf-8") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    @staticmethod
    def ready(port):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=2) as reply:
                return reply.status == 200
        except OSError:
            return False

    def end(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.home.shutdown()
        shutil.rmtree(self.folder, ignore_errors=True)

    def notified_after(self, device):
        """Seconds from the change of a value to the webhook."""
        with self.home.news:
            begun = time.monotonic()
            self.home.values[device] = 80.0
            if not self.home.news.wait_for(lambda: device in self.home.told, 60):
                raise AssertionError("the webhook was not called within 60 s")
            return self.home.told[device] - begun


def monitoring(ctx, every, trials):
    """Milliseconds of each trial, at a random moment of the intervals."""
    system = Monitoring(every)
    try:
        begun = time.monotonic()
        before, own = lib.processor_seconds(p.pid for p in system.processes), time.process_time()
        times = []
        for device in range(trials):
            time.sleep(random.random())
            times.append(1000 * system.notified_after(device))
        taken, own = lib.processor_seconds(p.pid for p in system.processes) - before, time.process_time() - own
        lasted = time.monotonic() - begun
        ctx.note(f"Prometheus and Alertmanager, every {every}: {DEVICES:,} series took "
                 f"{100 * taken / lasted:.0f} % of a core, exporter and webhook {100 * own / lasted:.0f} %")
        return times
    finally:
        system.end()


def ours(ctx, trials):
    """Milliseconds of each trial: before the HTTP request to the NOTIFY received."""
    stack = ctx.stack(memory=256)
    provision.devices(stack, DEVICES, group=DEVICES + 1)
    stack.sql("INSERT INTO bmd_assignment (username, group_name) VALUES ('tech1', 'ward0')")
    agent = stack.agent("tech1")
    dialog, reply = agent.subscribe()
    if reply.status != 200:
        raise AssertionError(f"SUBSCRIBE was answered {reply.status}")
    agent.notify(dialog)
    time.sleep(2)  # the assignment reaches the server, and a full state the terminal
    agent.pump(0.1)
    agent.received.clear()
    times = []
    for number in range(1, trials + 1):
        time.sleep(random.random() / 5)
        begun = time.monotonic()
        stack.rpc("bmd.report", f"B{number:08d} SpO2=80")
        body = agent.notify(dialog).body
        times.append(1000 * (time.monotonic() - begun))
        if f"B{number:08d}".encode() not in (body if isinstance(body, bytes) else body.encode()):
            raise AssertionError("the NOTIFY tells of another device")
    stack.end()
    return times


def run(ctx):
    for program in ("prometheus", "prometheus-alertmanager"):
        if shutil.which(program) is None:
            raise AssertionError(f"{program} is not installed (tools/setup/packages-bench.txt)")
    trials = 60 if ctx.full else 15
    begun, own = time.monotonic(), time.process_time()
    mine = ours(ctx, 4 * trials)
    share_of_client = 100 * (time.process_time() - own) / (time.monotonic() - begun)
    rows = []
    for every, times in (("100ms", trials), ("1s", trials // 2)):
        theirs = monitoring(ctx, every, times)
        for what, share in (("p50", 0.5), ("max", 1)):
            rows.append(lib.row(f"value changes to notification, one alert, {what}",
                                lib.percentile(mine, share), "ms",
                                f"Prometheus + Alertmanager, every {every}",
                                lib.percentile(theirs, share), better="less", size=f"{DEVICES:,} devices"))
    ctx.note("value changes to notification: ours from before the HTTP request to the NOTIFY received, its client "
             f"in Python included, which took {share_of_client:.1f} % of a core")
    return rows
