# SPDX-License-Identifier: Apache-2.0
"""The stand-in's sockets: HTTP/1.1 with kept-alive connections, a thread each, over TLS and on a unix socket for `ctl`; and the faults."""
import collections
import hashlib
import http
import json
import os
import resource
import socket
import ssl
import struct
import threading
import time

from .api import Api, parse
from .objects import ApiError, Objects
from .tokens import Tokens, make_certificates, write_private

MAX_HEAD, MAX_BODY = 64 << 10, 4 << 20
MODES = ("ok", "slow", "hold", "hang", "reset", "garbage", "garbage-http", "truncated", "huge", "status", "http500", "answer", "other-account",
         "close-after-reply", "drop-reused", "blackhole", "clock")


class Closed(Exception):
    """This connection is over."""


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""

    def fill(self):
        data = self.sock.recv(65536)
        if not data:
            raise Closed
        self.buffer += data

    def read(self, wait):
        """(method, path, headers, body). WAIT is called when bytes have come, before they are looked at."""
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > MAX_HEAD:
                raise Closed
            self.fill()
        wait()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = (first + "  ").split(" ", 2)
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        if not 0 <= length <= MAX_BODY or "transfer-encoding" in headers:
            raise Closed
        if headers.get("expect") == "100-continue":
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(self.buffer) < length:
            self.fill()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return method, path.partition("?")[0], headers, body

    def send(self, status, body, more=""):
        kind = "application/json" if body[:1] == b"{" else "text/plain"
        phrase = http.HTTPStatus(status).phrase if status in list(http.HTTPStatus) else "Unknown"
        head = f"HTTP/1.1 {status} {phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        self.sock.sendall(head.encode() + body)

    def reset(self):
        """Ends the connection by RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Closed


def fingerprint(token):
    """What the request log keeps of a token."""
    return None if token is None else f"{len(token)}:{hashlib.sha256(token.encode()).hexdigest()[:16]}"


class Server:
    def __init__(self, state, address):
        os.makedirs(state, exist_ok=True)
        make_certificates(state, ["127.0.0.1", "::1"])
        self.state = state
        self.address = address
        self.objects = Objects(state)
        token_file = os.path.join(state, "admin.token")
        if not os.path.exists(token_file):
            write_private(token_file, os.urandom(24).hex().encode())
        with open(token_file, encoding="ascii") as file:
            self.api = Api(self.objects, Tokens(state, self.objects), file.read().strip())
        self.mode = {"mode": "ok"}
        self.changed = threading.Condition()
        self.log = collections.deque(maxlen=1000)
        self.connections = 0
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self.tls.load_cert_chain(os.path.join(state, "server.crt"), os.path.join(state, "server.key"))

    # --- faults

    def set_mode(self, body):
        name, _, argument = str(body.get("mode", "")).partition(":")
        if name not in MODES:
            raise ApiError(400, "BadRequest", f"unknown mode {name}; one of {', '.join(MODES)}")
        with self.changed:
            self.mode = {**body, "mode": name, "argument": argument}
            self.objects.offset = int(argument) if name == "clock" else 0
            self.changed.notify_all()

    def hold(self, mode):
        """Until somebody sets another one than MODE, which may have happened since that was looked at."""
        with self.changed:
            self.changed.wait_for(lambda: self.mode is not mode, timeout=120)

    def swallow(self):
        mode = self.mode
        if mode["mode"] == "blackhole":
            self.hold(mode)
            raise Closed

    def fault(self, connection, number):
        """Before the answer: True if this mode gave its own."""
        mode = self.mode
        name, argument = mode["mode"], mode.get("argument", "")
        if name == "slow":
            time.sleep(int(argument) / 1000)
        elif name == "hold":
            self.hold(mode)
        elif name == "hang":
            self.hold(mode)
            raise Closed
        elif name == "reset":
            connection.reset()
        elif name == "drop-reused" and number > 1:
            raise Closed
        elif name == "garbage":
            connection.send(201, b"{\x00\xff garbage")
            return True
        elif name == "garbage-http":
            connection.sock.sendall(b"SSH-2.0-not-http\r\n")
            raise Closed
        elif name == "truncated":
            connection.sock.sendall(b'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"kind":')
            raise Closed
        elif name == "huge":
            connection.send(201, b'{"kind":"' + b"x" * (2 << 20) + b'"}')
            return True
        elif name == "http500":
            connection.send(500, b"something broke")
            return True
        elif name == "status":
            code = int(argument)
            error = ApiError(code, "Testbed", f"the testbed was told to say {code}")
            connection.send(code, json.dumps(error.body).encode(), "Location: /redirected\r\n" if 300 <= code < 400 else "")
            return True
        elif name == "answer":
            connection.send(int(mode.get("status", 201)), mode["body"].encode())
            return True
        return False

    # --- requests

    def testbed(self, method, path, body):
        if (method, path) == ("PUT", "/testbed/mode"):
            self.set_mode(parse(body))
            return 200, {"mode": self.mode["mode"]}
        if (method, path) == ("GET", "/testbed/requests"):
            return 200, {"connections": self.connections, "requests": list(self.log)}
        if (method, path) == ("DELETE", "/testbed/requests"):
            self.log.clear()
            self.connections = 0
            return 200, {}
        raise ApiError(404, "NotFound", "the server could not find the requested resource")

    def answer(self, method, path, bearer, body, admin, note):
        try:
            if path.startswith("/testbed/"):
                if not admin and bearer != self.api.admin_token:
                    raise ApiError(403, "Forbidden", "only the administrator may touch the testbed")
                return self.testbed(method, path, body)
            parsed = parse(body)
            if not admin:
                for member in ("admin", "alg"):
                    parsed.pop(member, None)
            note["token"] = fingerprint((parsed.get("spec") or {}).get("token"))
            status, result = self.api.handle(method, path, self.api.admin_token if admin else bearer, parsed, note)
            if self.mode["mode"] == "other-account" and (result.get("status") or {}).get("authenticated"):
                user = result["status"]["user"]
                user.update(username=user["username"] + "-other", uid="00000000-0000-4000-8000-000000000000")
            return status, result
        except ApiError as error:
            return error.code, error.body

    def serve(self, sock, admin):
        connection = Connection(sock)
        with self.changed:
            self.connections += not admin
            serial = self.connections
        number = 0
        while True:
            method, path, headers, body = connection.read(lambda: admin or self.swallow())
            number += 1
            kind, _, bearer = headers.get("authorization", "").partition(" ")
            bearer = bearer if kind.lower() == "bearer" else None
            note = {"method": method, "path": path, "bearer": fingerprint(bearer), "connection": serial, "number": number}
            if not admin and not path.startswith("/testbed/"):
                self.log.append(note)
                if self.fault(connection, number):
                    continue
            status, result = self.answer(method, path, bearer, body, admin, note)
            note["status"] = status
            connection.send(status, result.encode() if isinstance(result, str) else json.dumps(result).encode())
            if self.mode["mode"] == "close-after-reply" and not admin or headers.get("connection", "").lower() == "close":
                return

    def connection(self, raw, admin):
        sock = raw
        try:
            if not admin:
                self.swallow()
                raw.settimeout(300)
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock = self.tls.wrap_socket(raw, server_side=True)
            self.serve(sock, admin)
        except (Closed, OSError, ValueError):
            pass
        finally:
            sock.close()

    def accept(self, listener, admin):
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:  # a client that left already, or no descriptor: the next one may have more luck
                time.sleep(0.01)
                continue
            threading.Thread(target=self.connection, args=(raw, admin), daemon=True).start()

    def run(self, port, port_file):
        # The clients of "hang" give up, but their connections stay until the mode changes.
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        listener = socket.create_server((self.address, port), backlog=128)
        os.chdir(self.state)  # the path of a unix socket is at most 107 bytes long
        if os.path.exists("admin.sock"):
            os.unlink("admin.sock")
        control = socket.socket(socket.AF_UNIX)
        mask = os.umask(0o077)
        control.bind("admin.sock")
        os.umask(mask)
        control.listen(16)
        threading.Thread(target=self.accept, args=(control, True), daemon=True).start()
        port = listener.getsockname()[1]
        if port_file:
            with open(port_file + ".new", "w", encoding="ascii") as file:
                file.write(f"{port}\n")
            os.rename(port_file + ".new", port_file)
        print(f"apiserver: ready on https://{self.address}:{port}, state in {self.state}", flush=True)
        self.accept(listener, False)
