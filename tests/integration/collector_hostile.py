#!/usr/bin/python3
"""collector_hostile.py - bmd-collector against a server that is none, or not in its senses: nothing is lost by what it says.

SPDX-License-Identifier: GPL-2.0-or-later
Home and the good server are those of collector_uplink.py.  What a server says that has the right certificate and lies within
reason (durable, refused) is believed: it could throw readings away as well.
"""

import os
import stat
import sys
import time

from collector_uplink import Server, begin, complete, run_cases, wait

MOST = 2 ** 63 - 1


class Hostile(Server):
    """Answers with what stands in `says` first, then as it should; an epoch that is no 64-bit number is refused as by bmd.report."""

    def __init__(self, *says):
        super().__init__()
        self.says = list(says)

    def answer(self, request):
        with self.lock:
            said = self.says.pop(0) if self.says else None
        if said is not None:
            return said
        if int(request['params'][1]) > MOST:
            return {'error': {'code': 400, 'message': 'epoch and seq must be decimal numbers'}}
        return super().answer(request)


def an_epoch_that_cannot_be_is_not_believed():
    server = Hostile(*[Server.error(409, known=MOST, clock=MOST)] * 2)
    home = begin(server)
    good = complete(server) and 'cannot be' in home.text()
    home.close()
    return good


def numbers_beyond_what_was_sent_lose_nothing():
    says = [Server.result(10 ** 6, MOST, 1), Server.error(412, expected=MOST, judged=MOST, durable=MOST),
            Server.error(503, expected=MOST, judged=MOST, durable=0), Server.error(412, expected=0, judged=0, durable=0),
            Server.error(409, known=MOST - 1, clock=MOST), Server.error(409, known=0, clock=1)]
    server = Hostile(*says)
    home = begin(server)
    wait(lambda: not server.says, 60)
    good = complete(server)
    home.close()
    return good


def answers_that_are_none_lose_nothing():
    deep = {}
    for _ in range(400):
        deep = {'result': deep}
    server = Hostile({}, {'result': []}, {'result': {'accepted': -1, 'durable': '-1'}}, {'error': []}, {'error': {'code': '409 '}},
                     {'result': {'accepted': 1e300, 'durable': 'nan'}}, deep, {'result': {'accepted': 1, 'durable': '1' * 100000}})
    home = begin(server)
    wait(lambda: not server.says, 60)
    good = complete(server)
    home.close()
    return good


class Wire(Server):
    """Its first connections get these bytes, again and again while they are taken, if `endless`."""

    def __init__(self, data, endless):
        super().__init__()
        self.data, self.endless, self.left = data, endless, 2

    def start(self):
        super().start()
        outer, proper = self, self.http.RequestHandlerClass

        class Handler(proper):
            def do_POST(self):
                if outer.left <= 0:
                    return super().do_POST()
                outer.left -= 1
                self.close_connection = True
                self.rfile.read(int(self.headers['Content-Length']))
                until = time.monotonic() + 10
                try:
                    self.wfile.write(outer.data[0])
                    while outer.endless and time.monotonic() < until:
                        self.wfile.write(outer.data[1])
                        time.sleep(outer.endless)
                except OSError:  # the collector has enough
                    pass
                return None

        self.http.RequestHandlerClass = Handler


def goes_on_after(data, endless=0.0):
    server = Wire(data, endless)
    home = begin(server)
    good = complete(server) and server.left == 0
    with open(f'/proc/{home.collector.pid}/status', encoding='ascii') as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith('VmHWM'))
    good = good and peak < 100 << 10
    home.close()
    return good


def bodies_and_headers_without_end_and_redirects_are_given_up():
    ok = b'HTTP/1.1 200 OK\r\n'
    return all([goes_on_after([b'HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.9:9/\r\nContent-Length: 0\r\n\r\n']),
                goes_on_after([ok + b'\r\n', b'[' * 65536], 0.0001), goes_on_after([ok, b'X: ' + b'y' * 8000 + b'\r\n'], 0.0001),
                goes_on_after([b'', b'HTTP/1.1 100 Continue\r\n\r\n' * 100], 0.0001),
                goes_on_after([ok + b'Content-Length: 50\r\n\r\n', b' '], 0.5), goes_on_after([b'\x16\x03\x01\x02']),
                goes_on_after([ok + b'Content-Length: -5\r\n\r\n{}'])])


def nobody_else_reads_the_spool():
    server = Server()
    mask = os.umask(0)
    home = begin(server)
    os.umask(mask)
    wait(lambda: len(server.readings()) >= 3)
    files = [name for name in os.listdir(home.dir) if name.startswith('spool.db')]
    good = bool(files) and all(stat.S_IMODE(os.stat(os.path.join(home.dir, name)).st_mode) == 0o600 for name in files)
    home.close()
    return good


CASES = [an_epoch_that_cannot_be_is_not_believed, numbers_beyond_what_was_sent_lose_nothing, answers_that_are_none_lose_nothing,
         bodies_and_headers_without_end_and_redirects_are_given_up, nobody_else_reads_the_spool]

if __name__ == '__main__':
    sys.exit(run_cases('collector_hostile', CASES))
