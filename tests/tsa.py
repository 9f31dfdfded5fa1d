"""An authority of time stamps on loopback: `openssl ts` with a root of the test's own."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

NEEDS_OPENSSL = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl, the authority of time stamps, is absent"
)

_CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {root}/serial
signer_cert = {root}/tsa.pem
signer_key = {root}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1, millisecs:500
ess_cert_id_alg = sha256
"""


class Authority:
    """An authority with a root certificate in `root/ca.pem`.

    Args:
        name: common name of its signing certificate.
    """

    def __init__(self, root: Path, name: str = "Exercise TSA") -> None:
        root.mkdir(exist_ok=True)
        self.root = root
        self.asked = 0
        self.answer: Callable[[bytes], tuple[int, bytes]] = lambda query: (200, self.stamp(query))
        new = ("-newkey", "rsa:2048", "-nodes")
        self._openssl("req", "-x509", *new, *_key("ca"), "-out", "ca.pem", "-subj", "/CN=Test root")
        self._openssl("req", *new, *_key("tsa"), "-out", "tsa.csr", "-subj", f"/CN={name}")
        self._issue("critical,timeStamping", "tsa.pem")
        (root / "serial").write_text("01\n")
        (root / "ts.conf").write_text(_CONFIG.format(root=root))

    @property
    def certificate(self) -> Path:
        """What readers trust."""
        return self.root / "ca.pem"

    def stamp(self, query: bytes) -> bytes:
        """The answer to a request."""
        (self.root / "query").write_bytes(query)
        self._openssl("ts", "-reply", "-config", "ts.conf", "-queryfile", "query", "-out", "reply")
        return (self.root / "reply").read_bytes()

    @contextmanager
    def served(self) -> Iterator[str]:
        """Its address, while it answers with `answer`."""
        authority = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                authority.asked += 1
                query = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/timestamp-query"
                status, body = authority.answer(query)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if status == 302:
                    self.send_header("Location", self.path)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/tsr"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def issued(self, usage: str | None = None) -> bytes:
        """Its certificate, DER; with a usage, another of the same key, name and serial number."""
        if usage:
            self._issue(usage, "other.pem")
        found = load_pem_x509_certificate(
            (self.root / ("other.pem" if usage else "tsa.pem")).read_bytes()
        )
        return found.public_bytes(Encoding.DER)

    def _issue(self, usage: str, out: str) -> None:
        (self.root / "extensions").write_text(
            f"extendedKeyUsage={usage}\nkeyUsage=critical,digitalSignature\n"
        )
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "77", "-days", "2")
        words = ("-req", "-in", "tsa.csr", *signed, "-extfile", "extensions", "-out", out)
        self._openssl("x509", *words)

    def _openssl(self, *words: str) -> None:
        done = subprocess.run(
            ["openssl", *words], cwd=self.root, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr.decode()


def _key(name: str) -> tuple[str, str]:
    return ("-keyout", f"{name}.key")
