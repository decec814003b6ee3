# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes API server that answers as a case programs it, and keeps what it was asked. It believes any JWT: what a real API
server refuses is tests/testbed/apiserver's and the real control plane's matter; here two clients of it are compared."""
import base64
import http.server
import json
import os
import ssl
import sys
import tempfile
import threading
import time

from tap import SOURCE

sys.path.append(os.path.join(SOURCE, "tests/testbed"))
from cryptography.hazmat.primitives import hashes  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: E402
from standin.tokens import b64, make_certificates  # noqa: E402

REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
KEPT_HEADERS = ("authorization", "content-type", "accept")
KEY = rsa.generate_private_key(65537, 2048)
UID = "8d2d8f5c-8a3e-4d0e-9c1d-1f2e3a4b5c6d"


def claims(namespace="webapp-ns", name="webapp-sa", **changes):
    """The claims of a pod-bound token; a change to None removes one."""
    now = int(time.time())
    made = {
        "iss": "https://kubernetes.default.svc.cluster.local", "sub": f"system:serviceaccount:{namespace}:{name}", "aud": ["vault"],
        "iat": now, "nbf": now, "exp": now + 3600, "jti": "0b7c8a9e-1d2f-4a3b-8c4d-5e6f7a8b9c0d",
        "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": UID},
                          "pod": {"name": "webapp-0", "uid": "1c2d3e4f-5a6b-4c7d-8e9f-0a1b2c3d4e5f"}},
    }
    return {k: v for k, v in (made | changes).items() if v is not None}


def jwt(payload=None, header=None, key=KEY, **changes):
    """A signed JWT (RS256). PAYLOAD may be claims, or bytes that are no JSON at all."""
    payload = claims(**changes) if payload is None else payload
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signed = b64(json.dumps(header or {"alg": "RS256", "kid": "k"}).encode()) + "." + b64(raw)
    return signed + "." + b64(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))


def payload_of(token):
    try:
        part = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return {}


def review(request):
    """What kube-apiserver says to a review of a good token."""
    seen = payload_of(request["spec"]["token"])
    account = (seen.get("kubernetes.io") or {}).get("serviceaccount") or {}
    return {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {}, "spec": request["spec"],
            "status": {"authenticated": True, "audiences": request["spec"].get("audiences") or seen.get("aud"),
                       "user": {"username": seen.get("sub"), "uid": account.get("uid"),
                                "groups": ["system:serviceaccounts", "system:authenticated"]}}}


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
        api.requests.append({"method": self.command, "path": self.path, "headers": headers, "body": asked})
        status, reply, more = api.reply(self.command, self.path, asked)
        raw = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json", "Content-Length": str(len(raw))} | more).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass


class FakeApi:
    """PORT, CA (PEM text). answers[path] = (status, JSON or bytes, headers) or function(method, path, asked) giving that; a path that
    is not there is judged as a real API server judges a good token. reset() forgets answers and what was asked."""

    def __enter__(self):
        self.state = tempfile.TemporaryDirectory()
        make_certificates(self.state.name, ["127.0.0.1"])
        with open(self.state.name + "/ca.crt", encoding="ascii") as file:
            self.ca = file.read()
        self.reset()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads, self.server.api = True, self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.state.name + "/server.crt", self.state.name + "/server.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.host = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.state.cleanup()

    def reset(self):
        self.answers, self.requests = {}, []

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
