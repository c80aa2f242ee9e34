#!/usr/bin/python3
"""collector_uplink.py - store and forward: bmd-collector against a server that fails in every way.

SPDX-License-Identifier: GPL-2.0-or-later
The device is bmd-sim; the server here keeps the contract of bmd.report, and can be slow to make things durable,
busy, refusing, dead, or killed with everything forgotten that was not durable.
"""

import http.client
import http.server
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get('BMD_BIN', os.path.join(TOP, 'build', 'bin'))
RECORDING = os.path.join(TOP, 'tests', 'data', 'nonin', 'df2-desaturation.bin')
PACKETS = 27  # in the recording
OVER_SHARE = 3.0  # s
ASKED = 8  # times a second at most: 4 that are judged first, and what is stored, which backs off


class Server:
    """bmd.report over HTTP.  What is `durable` survives kill(), what is only accepted does not."""

    def __init__(self, tls=None):
        self.tls, self.port, self.http = tls, 0, None
        self.lock = threading.Lock()
        self.durable, self.pending, self.seen = {}, {}, []
        self.lag = 0.0           # seconds from accepted to durable
        self.fault = None        # code to answer with
        self.too_large = ()      # numbers of batches it can never take
        self.full = False        # no room: judges, and stores nothing
        self.over_share = False  # neither judges nor stores: too much of this collector waits
        self.judged, self.judgements = {}, []
        self.absent, self.known_epoch = [], 0
        self.sockets = set()

    def start(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def setup(self):
                outer.sockets.add(self.request)
                super().setup()

            def do_POST(self):
                text = self.rfile.read(int(self.headers['Content-Length']))
                reply = json.dumps({'jsonrpc': '2.0', 'id': 1, **outer.answer(json.loads(text))}).encode()
                self.send_response(200)
                self.send_header('Content-Length', str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self.http = http.server.ThreadingHTTPServer(('127.0.0.1', self.port), Handler)
        self.http.handle_error = lambda *_: None
        self.http.daemon_threads = True
        if self.tls:
            self.http.socket = self.tls.wrap_socket(self.http.socket, server_side=True)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def kill(self):
        """Ends at once; connections break; what was not durable is forgotten."""
        self.http.shutdown()
        self.http.server_close()
        for connection in list(self.sockets):
            try:
                connection.shutdown(2)
            except OSError:
                pass
        self.sockets.clear()
        with self.lock:
            self.settle()
            self.pending.clear()
            self.judged.clear()

    def settle(self):
        now = time.monotonic()
        for key in sorted(self.pending):
            if self.pending[key][0] > now:
                break
            self.durable[key] = self.pending.pop(key)[1]

    def answer(self, request):
        with self.lock:
            assert request['method'] == 'bmd.report' and all(isinstance(p, str) for p in request['params'])
            _, epoch, seq, text = request['params']
            epoch, seq = int(epoch), int(seq)
            self.seen.append((epoch, seq))
            if self.fault and (text or self.fault != 400):  # in an empty batch there is nothing to refuse
                return {'error': {'code': self.fault, 'message': 'as the test wants'}}
            if seq in self.too_large and text:
                return {'error': {'code': 413, 'message': 'as the test wants'}}
            if epoch < self.known_epoch:
                return self.error(409, known=self.known_epoch, clock=int(time.time() * 1e6))
            self.settle()
            taken = max((s for e, s in list(self.durable) + list(self.pending) if e == epoch), default=0)
            durable = max((s for e, s in self.durable if e == epoch), default=0)
            judged = max(taken, self.judged.get(epoch, 0))
            if seq <= taken:
                return self.result(0, durable, 1)
            first = seq
            if text.startswith('!absent '):
                line, _, text = text.partition('\n')
                first = int(line.split()[1])
            numbers = {'expected': taken + 1, 'judged': judged, 'durable': durable}
            turn = first <= taken + 1
            ahead = not turn and judged > taken and first <= judged + 1 and seq > judged
            if not text or not (turn or ahead):
                return self.error(412, **numbers)
            if self.over_share:
                return self.error(503, **numbers)
            if seq > judged:
                self.judgements.append(text)
            if self.full or ahead:
                self.judged[epoch] = numbers['judged'] = max(judged, seq)
                return self.error(503 if self.full else 412, **numbers)
            self.absent += range(taken + 1, seq)
            self.pending[epoch, seq] = (time.monotonic() + self.lag, text)
            self.settle()
            return self.result(text.count('='), max((s for e, s in self.durable if e == epoch), default=0), 0)

    @staticmethod
    def error(code, **numbers):
        words = ' '.join(f'{key}={value}' for key, value in numbers.items())
        return {'error': {'code': code, 'message': f'as the contract says; {words}'}}

    @staticmethod
    def result(accepted, durable, duplicate):
        return {'result': {'accepted': accepted, 'refused': [], 'durable': str(durable), 'duplicate': duplicate}}

    def readings(self, metric='SpO2'):
        with self.lock:
            self.settle()
            lines = ''.join(self.durable[key] for key in sorted(self.durable)).splitlines()
        return [word.split('=')[1] for line in lines for word in line.split() if word.startswith(metric + '=')]


class Home:
    """One collector and one simulated oximeter, in a folder of their own."""

    def __init__(self, url, extra=''):
        self.dir = tempfile.mkdtemp(prefix='bmd-uplink-')
        self.link = os.path.join(self.dir, 'oximeter')
        self.config = os.path.join(self.dir, 'collector.toml')
        self.collector = self.sim = None
        with open(self.config, 'w', encoding='ascii') as file:
            file.write(f'[server]\nurl = "{url}"\ncollector = "home1"\ntimeout_seconds = 2\n{extra}'
                       f'[spool]\npath = "{self.dir}/spool.db"\n'
                       f'[[port]]\ndevice = "{self.link}"\ndriver = "nonin"\nserial = "OX-1"\n')

    def collect(self):
        self.log = open(os.path.join(self.dir, 'log'), 'ab')
        self.collector = subprocess.Popen([BIN + '/bmd-collector', '--config', self.config], stderr=self.log)

    def play(self, speed=3):
        """The recording once, when the collector has opened the port."""
        self.sim = subprocess.Popen([BIN + '/bmd-sim', '--recording', '/dev/stdin', '--driver', 'nonin', '--link',
                                     self.link, '--speed', str(speed), '--quiet'], stdin=subprocess.PIPE,
                                    stdout=subprocess.DEVNULL)
        with open(RECORDING, 'rb') as data:
            # silence first: the packets begin when somebody listens
            self.sim.stdin.write(b'\0' * 375 + data.read() + b'\0' * 750)
        self.sim.stdin.close()

    def stop(self, how=signal.SIGTERM):
        if self.collector and self.collector.poll() is None:
            self.collector.send_signal(how)
        status = self.collector.wait(15) if self.collector else None
        self.collector = None
        return status

    def text(self):
        with open(os.path.join(self.dir, 'log'), encoding='utf-8') as log:
            return log.read()

    def close(self):
        self.stop()
        if self.sim:
            self.sim.terminate()
            self.sim.wait()
        shutil.rmtree(self.dir)


def wait(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def begin(server, extra='', scheme='http'):
    server.start()
    home = Home(f'{scheme}://127.0.0.1:{server.port}/RPC', extra)
    home.play()
    wait(lambda: os.path.islink(home.link))
    home.collect()
    return home


def complete(server):
    """Every reading of the recording has come, in order, and once."""
    wait(lambda: len(server.readings()) >= PACKETS)
    return (server.readings() == ['97'] * 3 + ['93'] * 3 + ['86'] * 6 + ['84'] * 6 + ['?'] * 3 + ['96'] * 6
            and server.readings('PulseRate') == ['72'] * 3 + ['74'] * 3 + ['131'] * 6 + ['133'] * 6 + ['?'] * 3
            + ['80'] * 6)


def everything_arrives_once():
    server = Server()
    home = begin(server)
    good = complete(server)
    seen = server.seen[1:]  # the first one asks what the server has
    good = good and [s for _, s in seen] == sorted(s for _, s in seen) and len(set(seen)) == len(seen)
    good = good and server.readings().count('?') == 3 and home.stop() == 0
    good = good and '0 batches stay in the spool' in home.text()
    home.close()
    return good


def outage_loses_nothing():
    server = Server()
    home = begin(server)
    wait(lambda: len(server.readings()) >= 5)
    server.kill()
    time.sleep(2)
    server.start()
    good = complete(server)
    home.close()
    return good


def killed_server_gets_what_it_forgot():
    server = Server()
    server.lag = 1.5
    home = begin(server)
    good = wait(lambda: len(server.pending) >= 3)
    for _ in range(3):
        server.kill()
        server.start()  # at once: the collector sees no failure, only a connection that is gone
        wait(lambda: len(server.pending) >= 2, 3)
    good = good and complete(server)
    home.close()
    return good


class Proxy:
    """Stands before a server whose port may change; its own connections to the collector never break."""

    def __init__(self, server):
        outer = self
        self.server = server

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                text = self.rfile.read(int(self.headers['Content-Length']))
                for _ in range(200):
                    try:
                        link = http.client.HTTPConnection('127.0.0.1', outer.server.port, timeout=2)
                        link.request('POST', '/RPC', text)
                        reply = link.getresponse().read()
                        break
                    except (OSError, http.client.HTTPException):
                        time.sleep(0.02)
                    finally:
                        link.close()
                self.send_response(200)
                self.send_header('Content-Length', str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.http.handle_error = lambda *_: None
        self.http.daemon_threads = True
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()


def killed_behind_a_proxy_gets_what_it_forgot():
    server = Server()
    server.lag = 1.5
    server.start()
    proxy = Proxy(server)
    home = Home(f'http://127.0.0.1:{proxy.port}/RPC')
    home.play()
    wait(lambda: os.path.islink(home.link))
    home.collect()
    good = wait(lambda: len(server.pending) >= 3)
    for _ in range(3):
        server.kill()
        server.start()
        wait(lambda: len(server.pending) >= 2, 3)
    good = good and complete(server) and 'sending again' in home.text() and not server.absent
    home.close()
    proxy.http.shutdown()
    return good


def full_server_judges_every_batch_once_and_stores_it_later():
    server = Server()
    server.full = True
    home = begin(server)

    def judged():
        return [w.split('=')[1] for t in server.judgements for w in t.split() if w.startswith('SpO2=')]
    good = wait(lambda: len(judged()) >= PACKETS, 12) and len(judged()) == PACKETS and not server.readings()
    good = good and judged().index('84') > 0
    server.full = False
    good = good and complete(server) and len(judged()) == PACKETS and not server.absent
    good = good and home.stop() == 0 and '0 batches stay in the spool' in home.text()
    home.close()
    return good


def what_comes_after_the_outage_is_judged_before_the_rest_is_stored():
    server = Server()
    server.full = True
    home = begin(server)
    wait(lambda: len(server.judgements) >= 5)
    server.full = False
    good = complete(server) and not server.absent and len(server.judgements) <= PACKETS
    home.close()
    return good


def a_server_with_another_database_is_told_what_does_not_come():
    server = Server()
    home = begin(server)
    wait(lambda: len(server.readings()) >= 5)
    time.sleep(1.2)
    server.kill()
    lost = len(server.durable)
    server.durable.clear()  # restored from an old copy
    server.start()
    good = wait(lambda: len(server.readings()) >= 10) and len(server.absent) >= min(lost - 1, 3)
    good = good and server.absent[0] == 1 and home.stop() == 0 and '0 batches stay' in home.text()
    home.close()
    return good


def busy_server_gets_it_later():
    server = Server()
    server.fault = 503
    home = begin(server)
    time.sleep(3)
    good = len(server.readings()) == 0
    server.fault = None
    good = good and complete(server)
    home.close()
    return good


def what_the_server_does_not_even_judge_is_not_sent_without_pause():
    server = Server()
    server.full = True  # so that what is next is judged before it can be stored
    home = begin(server)
    good = wait(lambda: len(server.judgements) >= 3)
    server.over_share = True
    taken, before = len(server.judgements), len(server.seen)
    time.sleep(OVER_SHARE)
    asked = (len(server.seen) - before) / OVER_SHARE
    print(f'# asked {asked:.1f} times a second', flush=True)
    good = good and 0 < asked <= ASKED and len(server.judgements) <= taken + 1
    server.full = server.over_share = False
    good = good and complete(server) and len(server.judgements) <= PACKETS and not server.absent
    home.close()
    return good


def refused_batch_is_not_sent_again():
    server = Server()
    server.fault = 400
    home = begin(server)
    wait(lambda: len(server.seen) >= 5)
    server.fault = None
    before = list(server.seen)
    wait(lambda: len(server.readings()) >= 10)
    # (one more may have been under way)
    good = not set(before) & set(server.seen[len(before):]) and 0 < len(server.readings()) < PACKETS
    good = good and home.stop() == 0 and '0 batches stay in the spool' in home.text()
    home.close()
    return good


def killed_collector_goes_on_where_it_was():
    server = Server()
    home = begin(server)
    wait(lambda: len(server.readings()) >= 5)
    server.kill()
    time.sleep(2.5)  # into the spool, at the latest after a second
    home.stop(signal.SIGKILL)
    before = len(server.seen)
    server.start()
    home.collect()
    good = wait(lambda: len(server.readings()) >= 15)
    good = good and len({epoch for epoch, _ in server.seen}) == 1 and len(server.seen) > before
    home.close()
    return good


def outdated_epoch_gets_a_new_one():
    server = Server()
    server.known_epoch = int((time.time() + 3600) * 1e6)  # later than the clock of the collector
    home = begin(server)
    good = complete(server) and sorted({epoch for epoch, _ in server.seen})[1:] == [server.known_epoch + 1]
    home.close()
    return good


def durability_is_asked_for_when_nothing_comes():
    server = Server()
    server.lag = 2
    home = begin(server)
    good = complete(server)
    good = good and wait(lambda: home.sim.poll() is not None)
    time.sleep(2.5)
    good = good and home.stop() == 0 and '0 batches stay in the spool' in home.text()
    home.close()
    return good


def certificates(folder):
    """A CA, a server's and a collector's certificate."""
    def openssl(*arguments):
        subprocess.run(['openssl', *arguments], check=True, cwd=folder, stderr=subprocess.DEVNULL)

    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=test CA',
            '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2')
    with open(os.path.join(folder, 'san'), 'w', encoding='ascii') as file:
        file.write('subjectAltName=IP:127.0.0.1\n')
    for name in ('server', 'home1'):
        openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', f'/CN={name}',
                '-keyout', f'{name}.key', '-out', f'{name}.csr')
        openssl('x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial',
                '-extfile', 'san', '-days', '2', '-out', f'{name}.pem')


def tls_needs_both_certificates():
    folder = tempfile.mkdtemp(prefix='bmd-tls-')
    certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f'{folder}/server.pem', f'{folder}/server.key')
    context.load_verify_locations(f'{folder}/ca.pem')
    context.verify_mode = ssl.CERT_REQUIRED
    server = Server(context)
    home = begin(server, f'ca = "{folder}/ca.pem"\ncert = "{folder}/home1.pem"\nkey = "{folder}/home1.key"\n', 'https')
    good = complete(server)
    home.close()
    for extra in ('', f'ca = "{folder}/ca.pem"\n'):  # unknown CA; no certificate of its own
        other = Server(context)
        home = begin(other, extra, 'https')
        wait(lambda: 'not delivered' in home.text())
        good = good and not other.seen and 'not delivered' in home.text()
        home.close()
    shutil.rmtree(folder)
    return good


def a_restored_spool_goes_on_under_an_epoch_of_its_own():
    server = Server()
    server.fault = 500
    home = begin(server)
    wait(lambda: server.seen)
    with server.lock:  # what the spool held after the moment it was restored to
        server.durable[server.seen[0][0], 500] = ''
        server.fault = None
    good = complete(server) and 'it is an older copy' in home.text() and len({e for e, _ in server.durable}) == 2
    good = good and home.stop() == 0 and '0 batches stay in the spool' in home.text()
    home.close()
    return good


def numbers_that_were_in_memory_only_lose_nothing_when_they_come_again():
    """The server knows five batches that the spool does not; more than five have gathered before it answers."""
    server = Server()
    server.fault = 500
    home = begin(server)
    wait(lambda: server.seen)
    time.sleep(4)
    with server.lock:
        server.durable[server.seen[0][0], 5] = ''
        server.fault = None
    good = complete(server) and len({e for e, _ in server.durable}) == 2 and not server.absent
    home.close()
    return good


def what_the_server_is_about_to_store_is_not_sent_under_another_epoch():
    """The same, and what the file has is not durable yet: it is waited for."""
    server = Server()
    server.lag = 1
    home = begin(server)
    wait(lambda: len(server.seen) >= 4)
    home.stop(signal.SIGKILL)
    with server.lock:
        epoch = server.seen[0][0]
        last = max(s for _, s in list(server.durable) + list(server.pending))
        server.pending[epoch, last + 100] = (time.monotonic() + server.lag, '')
    home.collect()
    wait(lambda: len({e for e, _ in server.durable}) == 2)
    wait(lambda: server.readings()[-6:] == ['96'] * 6)
    lines = ''.join(server.durable[key] for key in sorted(server.durable)).splitlines()
    good = len({e for e, _ in server.durable}) == 2 and len(lines) == len(set(lines)) > PACKETS // 2
    if not good:
        print(f'# {len({e for e, _ in server.durable})} epochs, {len(lines)} lines, {len(set(lines))} different; the log: {home.text()[-1500:]}')
    home.close()
    return good


def what_is_too_large_for_the_server_does_not_hold_up_the_rest():
    server = Server()
    server.too_large = (3,)
    home = begin(server)
    wait(lambda: len(server.readings()) >= PACKETS - 1)
    wait(lambda: server.readings()[-6:] == ['96'] * 6)
    good = server.absent == [3] and 'cannot take batch 3' in home.text() and PACKETS // 2 < len(server.readings())
    good = good and server.readings()[-6:] == ['96'] * 6 and home.stop() == 0
    home.close()
    return good


def run_cases(name, cases):
    """Runs all of them, or those named on the command line; the exit status."""
    passed = failed = 0
    for case in cases:
        if len(sys.argv) > 1 and case.__name__ not in sys.argv[1:]:
            continue
        good = case()
        passed, failed = passed + good, failed + (not good)
        print('ok' if good else 'not ok', f"{name}: {case.__name__.replace('_', ' ')}", flush=True)
    print(f'{passed} passed, {failed} failed')
    return 0 if passed and not failed else 1


CASES = [everything_arrives_once, outage_loses_nothing, killed_server_gets_what_it_forgot,
         killed_behind_a_proxy_gets_what_it_forgot, full_server_judges_every_batch_once_and_stores_it_later,
         what_comes_after_the_outage_is_judged_before_the_rest_is_stored,
         a_server_with_another_database_is_told_what_does_not_come, busy_server_gets_it_later,
         what_the_server_does_not_even_judge_is_not_sent_without_pause, refused_batch_is_not_sent_again,
         killed_collector_goes_on_where_it_was, outdated_epoch_gets_a_new_one,
         a_restored_spool_goes_on_under_an_epoch_of_its_own,
         numbers_that_were_in_memory_only_lose_nothing_when_they_come_again,
         what_the_server_is_about_to_store_is_not_sent_under_another_epoch,
         what_is_too_large_for_the_server_does_not_hold_up_the_rest,
         durability_is_asked_for_when_nothing_comes, tls_needs_both_certificates]

if __name__ == '__main__':
    sys.exit(run_cases('collector_uplink', CASES))
