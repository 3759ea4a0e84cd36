"""Streams of events on the real binary: clients that read nothing, flat memory, a quick stop."""

import socket
import time
import unittest

import _sonde

# The kernel takes 2.5 MB for each before the server notices: two hundred are a matter of the unit
# test, with other sockets.
CLIENTS = 20
# Events of some 500 kB: the server's own metrics, again and again.
QUERIES = "".join(f"&q.q{i}=%7B__name__%3D~%22sonde_.%2B%22%7D" for i in range(24))
TARGET = f"/api/v1/stream?topics=tick,overview,history&range=15m{QUERIES}"


def open_stream(server, receive_bytes=None):
    """A socket on which the stream begins."""
    client = socket.socket()
    if receive_bytes:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    client.settimeout(_sonde.HTTP_TIMEOUT_S)
    client.connect(("127.0.0.1", server.port))
    client.sendall(f"GET {TARGET} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return client


def read_until(client, words, text=b""):
    while words not in text:
        more = client.recv(65536)
        assert more, f"the stream ended before {words}: {text[-200:]}"
        text = text[-len(words):] + more
    return text


class Streams(unittest.TestCase):
    def setUp(self):
        self.server = _sonde.Server(self).start()
        self.clients = []

    def tearDown(self):
        for client in self.clients:
            client.close()

    def test_clients_that_read_nothing_cost_little_and_hold_nobody_up(self):
        for _ in range(CLIENTS):
            self.clients.append(open_stream(self.server, 4096))
        _sonde.wait_for(lambda: self.server.metric("sonde_streams") == CLIENTS,
                        "all streams open")
        reader = open_stream(self.server)
        self.clients.append(reader)
        text = read_until(reader, b"event: history")
        # Nobody but the reader takes anything: their events are replaced by newer ones.
        _sonde.wait_for(lambda: self.server.metric("sonde_stream_events_dropped_total") > CLIENTS,
                        "events are dropped", 60)
        before = self.server.memory_kb()
        dropped = self.server.metric("sonde_stream_events_dropped_total")
        for _ in range(6):
            text = read_until(reader, b"event: tick", text)
            text = text[text.index(b"event: tick") + 1:]
        _sonde.wait_for(
            lambda: self.server.metric("sonde_stream_events_dropped_total") > dropped,
            "more events are dropped")
        if not _sonde.IS_SLOW_BUILD:
            self.assertLess(self.server.memory_kb(), before + 16 * 1024)
        self.assertLess(self.server.metric("sonde_stream_bytes"), 64 << 20)

    def test_streams_end_with_the_server(self):
        self.clients = [open_stream(self.server) for _ in range(20)]
        for client in self.clients:
            read_until(client, b"event: overview\ndata: {\"time\":")
        start = time.monotonic()
        self.server.stop()
        self.assertLess(time.monotonic() - start, _sonde.STOP_TIMEOUT_S)
        for client in self.clients:
            while client.recv(65536):
                pass


if __name__ == "__main__":
    _sonde.main()
