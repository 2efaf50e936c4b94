"""Peers that are not the embedded Microsoft 365: certificates of a test CA, HTTPS servers on loopback, a relay in front
of the embedded one that bends answers, a proxy with CONNECT. Each stops by itself with the test."""
import base64
import contextlib
import http.client
import http.server
import pathlib
import socket
import ssl
import subprocess
import threading
import urllib.parse

TIMEOUT = 30  # seconds on every socket here


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Ca:
    """A certificate authority in a folder; `file` is what ca_file names."""

    def __init__(self, folder, name="Test CA"):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.file, self.key = self.dir / "ca.pem", self.dir / "ca.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                 self.key, "-out", self.file, "-subj", f"/CN={name}", "-days", 30)

    def certificate(self, host="localhost", days=30):
        """(certificate, key) for a host; days=-1 is one that has expired."""
        stem = self.dir / f"{host}-{days}"
        key, request, file = stem.with_suffix(".key"), stem.with_suffix(".csr"), stem.with_suffix(".pem")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
                 request, "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}")
        _openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.key, "-out", file, "-days", days,
                 "-copy_extensions", "copy")
        return file, key


class Peer:
    """An HTTPS server on https://localhost:PORT that notes every request and answers 404, unless `answer` is replaced.

    `answer(method, path, headers, body)` gives (status, headers, body). Any thread calls it.
    """

    def __init__(self, certificate, answer=None, versions=None):
        self.requests = []  # (method, path, headers), in the order of arrival
        self.answer = answer or (lambda method, path, headers, body: (404, {}, b""))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda request, address: None  # broken handshakes are what some tests are about
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if versions:
            tls.set_ciphers("DEFAULT:@SECLEVEL=0")
            tls.minimum_version, tls.maximum_version = versions
        tls.load_cert_chain(*map(str, certificate))
        # The handshake belongs to the connection's own thread, not to the one that accepts.
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.origin = f"https://localhost:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self):
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = TIMEOUT

            def log_message(self, *_):
                pass

            def _any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = dict(self.headers.items())
                peer.requests.append((self.command, self.path, headers))
                status, answer, content = peer.answer(self.command, self.path, headers, body)
                self.send_response(status)
                for name, value in answer.items():
                    self.send_header(name, value)
                if status not in (204, 304):
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if status not in (204, 304):
                    self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

        return Handler


HOP_BY_HOP = {"connection", "keep-alive", "content-length", "transfer-encoding", "host", "accept-encoding"}


class Relay(Peer):
    """Stands in front of another origin. `bend(method, path, status, headers, body)` may change what comes back."""

    def __init__(self, certificate, target, tls, bend=None):
        self.target, self.bend = target, bend
        self._tls = tls
        super().__init__(certificate, self._forward)

    def _forward(self, method, path, headers, body):
        url = urllib.parse.urlsplit(self.target)
        connection = http.client.HTTPSConnection(url.hostname, url.port, context=self._tls, timeout=TIMEOUT)
        with contextlib.closing(connection):
            # The scope of a token request names the origin of Graph.
            body = body.replace(*(urllib.parse.quote(each, safe="").encode() for each in (self.origin, self.target)))
            kept = {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}
            if body or method in ("POST", "PUT", "PATCH"):
                kept["Content-Length"] = str(len(body))
            connection.request(method, path, body=body, headers=kept)
            answer = connection.getresponse()
            content = answer.read()
            back = {name: value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP}
        # What the service says of itself is said of the relay.
        content = content.replace(self.target.encode(), self.origin.encode())
        status = answer.status
        if self.bend:
            status, back, content = self.bend(method, path, status, back, content)
        return status, back, content


class ConnectProxy:
    """An HTTP proxy on loopback that knows CONNECT only. `asked`: (host:port, whether the password was right).

    Without a user everybody may pass; with `refuse`, a status line's end such as "403 Forbidden", nobody may.
    """

    def __init__(self, user=None, password="", refuse=None):
        self.asked = []
        self.other_requests = []
        self._refuse = refuse
        self._wanted = user and "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open = set()
        self._lock = threading.Lock()
        self._stopped = False
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        with self._lock:
            self._stopped = True
            for each in (self._listener, *self._open):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _keep(self, *sockets):
        with self._lock:
            if self._stopped:
                raise OSError("stopped")
            self._open.update(sockets)

    def _serve(self, client):
        with contextlib.suppress(OSError), client:
            self._keep(client)
            head = b""
            while b"\r\n\r\n" not in head:
                piece = client.recv(4096)
                if not piece:
                    return
                head += piece
            lines = head.decode("latin-1").split("\r\n")
            method, target, _ = lines[0].split(" ", 2)
            if method != "CONNECT":
                self.other_requests.append(lines[0])
                client.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
                return
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            right = fields.get("proxy-authorization") == self._wanted
            self.asked.append((target, right))
            if self._refuse:
                client.sendall(f"HTTP/1.1 {self._refuse}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            if not right:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"p\"\r\n"
                               b"Content-Length: 0\r\n\r\n")
                return
            host, _, port = target.rpartition(":")
            with socket.create_connection((host.strip("[]"), int(port)), TIMEOUT) as server:
                self._keep(server)
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                other_way = threading.Thread(target=self._pump, args=(server, client), daemon=True)
                other_way.start()
                self._pump(client, server)
                other_way.join()

    @staticmethod
    def _pump(source, target):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
