"""A receiver of webhooks on this machine, which answers as it is told."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Listener:
    def __init__(self) -> None:
        self.status = 202
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.paths: list[str] = []  # of them
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                listener.paths.append(self.path)
                listener.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
                if listener.status == 0:  # no answer
                    self.connection.close()
                    return
                self.send_response(listener.status)
                self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook?sig=abc"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
