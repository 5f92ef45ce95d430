"""A real collector for tests: takes what is sent to it by HTTP, as whoever collects traces or faults does."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Collector:
    """What came in, in order: path and body of each request.

    url: its address. status: of its answers. holds: what a request waits for before it is answered, as with a collector
    that hangs.
    """

    url: str = ""
    status: int = 200
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    holds: threading.Event = field(default_factory=threading.Event)


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port of the loopback, in threads of its own since its clients have theirs."""
    collector = Collector()
    collector.holds.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _taking(collector))
    collector.url = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield collector
    finally:
        collector.holds.set()
        server.shutdown()
        server.server_close()
        serving.join()


def _taking(collector: Collector) -> Callable[..., BaseHTTPRequestHandler]:
    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.holds.wait()
            collector.taken.append((self.path, body))
            self.send_response(collector.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing of it belongs into the log of a test."""

    return Taking
