# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes API server that answers as a case programs it, and keeps what it was asked. It believes any JWT: what a real API
server refuses is tests/testbed/apiserver's and the real control plane's matter; here two clients of it are compared."""
import base64
import http.server
import itertools
import json
import os
import socket
import ssl
import struct
import sys
import tempfile
import threading
import time
import uuid

from tap import SOURCE

sys.path.append(os.path.join(SOURCE, "tests/testbed"))
from cryptography.hazmat.primitives import hashes  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature  # noqa: E402
from standin.tokens import PEM, b64, certificate, load_key, make_certificates  # noqa: E402

REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
KEPT_HEADERS = ("authorization", "content-type", "accept")
KEY = rsa.generate_private_key(65537, 2048)
EC_KEYS = {"ES256": ec.generate_private_key(ec.SECP256R1()), "ES384": ec.generate_private_key(ec.SECP384R1()),
           "ES512": ec.generate_private_key(ec.SECP521R1())}
CLOSE, RESET = b"", None  # for raw()
UID = "8d2d8f5c-8a3e-4d0e-9c1d-1f2e3a4b5c6d"
START = int(time.time())
made = itertools.count()


def claims(namespace="webapp-ns", name="webapp-sa", **changes):
    """The claims of a pod-bound token; a change to None removes one. Both servers get the same ones, each time a new jti."""
    now = START
    content = {
        "iss": "https://kubernetes.default.svc.cluster.local", "sub": f"system:serviceaccount:{namespace}:{name}", "aud": ["vault"],
        "iat": now, "nbf": now, "exp": now + 3600, "jti": str(uuid.UUID(int=next(made))),
        "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": UID},
                          "pod": {"name": "webapp-0", "uid": "1c2d3e4f-5a6b-4c7d-8e9f-0a1b2c3d4e5f"}},
    }
    return {k: v for k, v in (content | changes).items() if v is not None}


def signature(alg, key, text):
    digest = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}[alg[2:]]()
    if alg.startswith("RS"):
        return key.sign(text, padding.PKCS1v15(), digest)
    if alg.startswith("PS"):
        return key.sign(text, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    size = (key.key_size + 7) // 8
    return b"".join(n.to_bytes(size, "big") for n in decode_dss_signature(key.sign(text, ec.ECDSA(digest))))


def jwt(payload=None, header=None, key=None, alg="RS256", **changes):
    """A signed JWT. PAYLOAD and HEADER may be JSON values, or bytes that are no JSON at all."""
    payload = claims(**changes) if payload is None else payload
    parts = [{"alg": alg, "kid": "k"} if header is None else header, payload]
    signed = ".".join(b64(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in parts)
    return signed + "." + b64(signature(alg, key or EC_KEYS.get(alg, KEY), signed.encode()))


def legacy_claims(namespace="webapp-ns", name="webapp-sa", **changes):
    """The claims of a token that lies in a Secret."""
    flat = "kubernetes.io/serviceaccount/"
    content = {"iss": "kubernetes/serviceaccount", flat + "namespace": namespace, flat + "secret.name": "webapp-token-x2x4z",
               flat + "service-account.name": name, flat + "service-account.uid": UID, "sub": f"system:serviceaccount:{namespace}:{name}"}
    return {k: v for k, v in (content | changes).items() if v is not None}


def payload_of(token):
    try:
        part = token.split(".")[1]
        seen = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        seen = None
    return seen if isinstance(seen, dict) else {}


def review(request, **changes):
    """What kube-apiserver says to a review of a good token; CHANGES are members of its status, None removes one."""
    seen = payload_of(request["spec"]["token"])
    status = {"authenticated": True, "audiences": request["spec"].get("audiences") or seen.get("aud"),
              "user": {"username": seen.get("sub"), "uid": UID, "groups": ["system:serviceaccounts", "system:authenticated"]}}
    return {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {}, "spec": request["spec"],
            "status": {k: v for k, v in (status | changes).items() if v is not None}}


def status(code, message, reason="", **more):
    """A Status object, as API servers refuse with."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code} | more


def raw(data):
    """An answer of these bytes, after which the connection ends: CLOSE for none at all, RESET to reset it."""
    return None, data


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        api = self.server.api
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            asked = json.loads(body)
            # Vault's client library adds empty members of the Go type.
            asked = {k: v for k, v in asked.items() if k in ("kind", "apiVersion", "spec")}
        except ValueError:
            asked = body.decode("latin-1")
        headers = {n.lower(): v for n, v in self.headers.items() if n.lower() in KEPT_HEADERS}
        api.connections.add(self.client_address)
        api.requests.append({"method": self.command, "path": self.path, "headers": headers, "body": asked})
        code, reply, more = api.reply(self.command, self.path, asked)
        if code is None:
            self.break_off(reply)
            return
        content = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        self.send_response(code)
        for name, value in ({"Content-Type": "application/json", "Content-Length": str(len(content))} | more).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def break_off(self, data):
        self.close_connection = True
        if data is RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass


STATE = tempfile.TemporaryDirectory()  # one set of certificates for all, so that their texts are equal
make_certificates(STATE.name, ["127.0.0.1"])


def pem(name):
    """One of the certificates that make_certificates made, by file name."""
    with open(f"{STATE.name}/{name}", encoding="ascii") as file:
        return file.read()


def expired_ca(key=None):
    """A certificate of the CA's name that ended yesterday: of the CA's own key, or of another one."""
    key = key or load_key(STATE.name + "/ca.key", None)
    return certificate("testbed-ca", key, None, None, True, days=0).public_bytes(PEM).decode()


class Server(http.server.ThreadingHTTPServer):
    """A handshake that fails, or never ends, is its connection's own matter."""
    daemon_threads = True

    def __init__(self, address, handler):
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def finish_request(self, request, client_address):
        if self.context:
            request = self.context.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass


class FakeApi:
    """PORT, CA (PEM text). answers[path] = (status, JSON or bytes, headers), raw(...), or function(method, path, asked) giving that; a
    path that is not there is judged as a real API server judges a good token.
    connections: the peers that asked something. reset() forgets answers and what was asked. It listens at ADDRESS, with the TLS that
    CONTEXT says (by default with server.crt; None: without)."""

    def __init__(self, address="127.0.0.1", context="server.crt"):
        self.address, self.context = address, context
        if context == "server.crt":
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(STATE.name + "/server.crt", STATE.name + "/server.key")

    def __enter__(self):
        self.ca = pem("ca.crt")
        self.reset()
        self.server = Server((self.address, 0), Handler)
        self.server.api, self.server.context = self, self.context
        self.port = self.server.server_address[1]
        self.host = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def reset(self):
        global made
        made = itertools.count()
        self.answers, self.requests, self.connections = {}, [], set()

    def asked(self):
        asked, self.requests = self.requests, []
        return asked

    def reply(self, method, path, asked):
        answer = self.answers.get(path)
        if callable(answer):
            answer = answer(method, path, asked)
        if answer is not None:
            return (*answer, {})[:3]
        if path == REVIEWS and isinstance(asked, dict):
            return 201, review(asked), {}
        return 404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}, {}
