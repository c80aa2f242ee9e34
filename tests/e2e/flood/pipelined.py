"""pipelined.py - HTTP requests without end on a few connections, for so many seconds.

SPDX-License-Identifier: GPL-2.0-or-later
usage: pipelined.py HOST:PORT KIND SECONDS ADDRESS CONNECTIONS [CA]
KIND: get, post, or get-reset, post-reset (each connection is reset after 2,000 requests).  No answer is read.  With CA by TLS.
Prints how many requests it sent, on how many connections.
"""

import socket
import ssl
import struct
import sys
import threading
import time

REQUESTS = {"get": b"GET /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" * 2000,
            "post": b"POST /RPC HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}" * 2000}
RESET = struct.pack("ii", 1, 0)  # SO_LINGER


class Flood:
    def __init__(self, server, kind, address, trusted):
        self.server, self.address = server, address
        self.data, self.resets = REQUESTS[kind.partition("-")[0]], kind.endswith("-reset")
        self.tls = ssl.create_default_context(cafile=trusted) if trusted else None
        self.sent = self.opened = 0

    def connection(self):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        one.settimeout(3)
        one.bind((self.address, 0))
        one.connect(self.server)
        self.opened += 1
        return self.tls.wrap_socket(one, server_hostname=self.server[0]) if self.tls else one

    def run(self, until):
        while time.monotonic() < until:
            try:
                with self.connection() as one:
                    while time.monotonic() < until:
                        one.sendall(self.data)
                        self.sent += 2000
                        if self.resets:
                            break
            except OSError:  # the server has closed it, or reads no more
                time.sleep(0.01)


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    flood = Flood((host, int(port)), sys.argv[2], sys.argv[4], sys.argv[6] if len(sys.argv) > 6 else None)
    until = time.monotonic() + float(sys.argv[3])
    threads = [threading.Thread(target=flood.run, args=(until,), daemon=True) for _ in range(int(sys.argv[5]))]
    for one in threads:
        one.start()
    for one in threads:
        one.join(max(0, until + 1 - time.monotonic()))
    print(flood.sent, flood.opened)


main()
