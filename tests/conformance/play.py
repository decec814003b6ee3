# SPDX-License-Identifier: Apache-2.0
"""What a table is written with: @case marks its functions, and a Session makes their requests and keeps what came back."""
import contextlib
import fnmatch
import http.client
import importlib
import json
import os
import socket
import sys
import time
import traceback
import urllib.parse

import normal
from fakeapi import FakeApi
from servers import TOKEN, SealedServers, Servers, TransitServers

HEADERS = ("content-type", "cache-control", "strict-transport-security", "location", "allow", "retry-after", "warning", "www-authenticate")
VALUE_MAX = 200
PATIENCE = 10  # seconds, with what comes a moment after the answer


def case(title):
    """Marks a function of a table: function(session), run once per server."""

    def mark(function):
        vars(sys.modules[function.__module__]).setdefault("CASES", []).append((title, function))
        return function

    return mark


class Reply:
    """One answer: status, headers (lower-case names), body (bytes), json (None where it is none). reply["auth"] is json's member."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        try:
            self.json = json.loads(body)
        except ValueError:
            self.json = None

    def __getitem__(self, key):
        if not isinstance(self.json, dict) or key not in self.json:
            raise KeyError(f"{key}: the answer was {self.status} {self.body[:200]!r}")
        return self.json[key]

    def normalised(self, normaliser):
        kept = {n: normaliser.text(v) for n, v in self.headers.items() if n in HEADERS or n.startswith(("x-vault-", "x-ratelimit-"))}
        body = normaliser.value(self.json) if self.json is not None else normaliser.text(self.body.decode("latin-1"))
        return {"status": self.status, "headers": kept, "body": body}


def table_line():
    """The line of the table that makes the present request."""
    lines = [f.lineno for f in traceback.extract_stack() if "/tables/" in f.filename and "/tables/_" not in f.filename]
    return lines[-1] if lines else 0


class Trail:
    """The file audit device of a server whose table is AUDITED: each request's entries are compared, too."""

    def __init__(self, server, path):
        request = {"type": "file", "options": {"file_path": path}}
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("PUT", "/v1/sys/audit/trail", json.dumps(request), {"X-Vault-Token": TOKEN})
        if connection.getresponse().status != 204:
            raise RuntimeError(f"{server.name} does not enable its audit device")
        connection.close()
        self.file = open(path, encoding="utf-8")
        self.rivals = set()  # paths of the other devices that are enabled
        self.new_entries()

    def new_entries(self):
        """What was written since the last time, without what is the connection's alone. Where another device was faster, the answer
        comes before the entries are here: both are waited for, long where there is one. A reader sees the half of a write, too."""
        text = self.file.read()
        end = time.monotonic() + (PATIENCE if self.rivals else 0.1)
        while (not text or text.count("\n") % 2 or not text.endswith("\n")) and time.monotonic() < end:
            time.sleep(0.01)
            text += self.file.read()
        entries = [json.loads(line) for line in text.splitlines()]
        for entry in entries:
            entry["request"].pop("remote_port", None)
        return entries

    def note_devices(self, method, path, status):
        if status == 204 and path.startswith("sys/audit/"):
            (self.rivals.discard if method == "DELETE" else self.rivals.add)(path)


class Session:
    """One case on one server. Every request is recorded and later compared with the other server's."""

    def __init__(self, server, api, trail=None):
        self.server, self.api, self.trail = server, api, trail
        self.name = server.name
        self.records, self.wanted, self.entries = [], [], []
        self.place = f"{server.home}/{server.name}"  # whatever files of the server's own begin with
        hosts = {f"127.0.0.1:{server.port}": "<server>", f"127.0.0.1:{api.port}": "<api>", self.place: "<place>"}
        self.normaliser, self.titles = normal.Normaliser(hosts), normal.Normaliser(hosts)
        api.reset()

    def request(self, method, path, data=None, token=TOKEN, headers=None, body=None):
        """PATH is below /v1/ unless it starts with a slash; DATA is sent as JSON, BODY (bytes) as it is."""
        target = path if path.startswith("/") else "/v1/" + path
        token = self.server.token if token is TOKEN else token
        sent = {"X-Vault-Token": token} if token is not None else {}
        if data is not None:
            body = json.dumps(data).encode()
            sent["Content-Type"] = "application/json"
        connection = self.server.connect()
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in (sent | (headers or {})).items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            reply = Reply(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()
        if self.trail:
            self.trail.note_devices(method, path, reply.status)
        shown = "" if data is None and body is None else " " + (body or b"").decode("latin-1")
        return self.record(f"{method} {path}{shown}", reply)

    def raw(self, data, title=None):
        """Sends bytes as they are, and reads one answer."""
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as connection:
            connection.sendall(data)
            answer = http.client.HTTPResponse(connection, method=data.split(b" ", 1)[0].decode("latin-1"))
            answer.begin()
            reply = Reply(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())
        return self.record(title or repr(data[:200]), reply)

    def until(self, ready):
        """Asks by READY(), at most 20 s, until it says true. Nothing of that is recorded: what comes next shows what is wrong."""
        recorded = len(self.records)
        for _ in range(400):
            done = ready()
            del self.records[recorded:]
            if done:
                return
            time.sleep(0.05)

    def wait_moved(self, reply):
        """Waits until the move of a mount that REPLY accepted has ended; nothing is recorded. False where it was refused."""
        if reply.status != 200:
            return False
        path = "sys/remount/status/" + reply["data"]["migration_id"]
        self.until(lambda: self.get(path)["data"]["migration_info"]["status"] != "in-progress")
        return True

    def wait_for(self, path):
        """Waits until a new or upgraded KV mount lists PATH: meanwhile it refuses (400). What this asks is not recorded."""
        for _ in range(400):
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
            connection.request("LIST", "/v1/" + path, headers={"X-Vault-Token": TOKEN})
            status = connection.getresponse().status
            connection.close()
            if status != 400:
                if self.trail:
                    self.trail.new_entries()
                return
            time.sleep(0.05)
        raise RuntimeError(f"{path} does not get ready")

    def record(self, title, reply):
        title = title.replace(json.dumps(self.api.ca)[1:-1], "<ca>")
        title = f"line {table_line()}, #{len(self.records) + 1} {self.titles.text(title)}"
        said = reply.normalised(self.normaliser)
        said["asked"] = self.normaliser.value(self.api.asked())
        if self.trail:
            self.entries = self.trail.new_entries()
            said["audit"] = [self.normaliser.value(entry) for entry in self.entries]
        self.records.append((title[:VALUE_MAX], said, tuple(self.wanted)))
        return reply

    def note(self, title, value):
        """Something else that must be equal on both servers, or differ inside differs()."""
        self.records.append((title, {"value": self.normaliser.value(value)}, tuple(self.wanted)))

    def get(self, path, query=None, **more):
        return self.request("GET", path + ("?" + urllib.parse.urlencode(query) if query else ""), **more)

    def post(self, path, data=None, **more):
        return self.request("POST", path, data, **more)

    def put(self, path, data=None, **more):
        return self.request("PUT", path, data, **more)

    def patch(self, path, data=None, **more):
        return self.request("PATCH", path, data, headers={"Content-Type": "application/merge-patch+json"} | more.pop("headers", {}), **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    def list(self, path, **more):
        return self.request("LIST", path, **more)

    @contextlib.contextmanager
    def differs(self, identifier, at=None):
        """Each request inside differs, for the reason that docs/compatibility.md lists as IDENTIFIER. With AT (a pattern or several,
        as of fnmatch, of paths such as "body.data.*.seal_wrap") only there, and the rest is equal."""
        self.wanted.append((identifier, (at,) if isinstance(at, str) else at))
        try:
            yield
        finally:
            self.wanted.pop()


class Pair:
    """Both servers, fresh, each with an API server of its own; AUDITED: and with an audit device."""

    def __init__(self, servers, audited):
        self.servers, self.audited = servers, audited

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        servers = self.stack.enter_context(self.servers)
        self.sides = []
        for server in (servers.vault, servers.ours):
            trail = Trail(server, f"{server.home}/{server.name}.audit") if self.audited else None
            self.sides.append((server, self.stack.enter_context(FakeApi()), trail))
        self.requests, self.used = 0, set()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def play(self, title, function):
        """Runs a case on both; the problems, as lines."""
        records, problems = [], []
        for server, api, trail in self.sides:
            session = Session(server, api, trail)
            try:
                function(session)
            except Exception:  # whatever it is, the case failed on this server
                problems += [f"on {server.name}:", *traceback.format_exc().splitlines()[-4:]]
            records.append(session.records)
        if len(records[0]) != len(records[1]):
            problems.append(f"{len(records[0])} requests on vault, {len(records[1])} on k8sauthd")
        pairing = normal.Pairing()
        for vault, ours in zip(*records):
            self.requests += 1
            problems += self.judge(vault, ours, pairing)
        return problems

    def judge(self, vault, ours, pairing):
        found = list(normal.compare(vault[1], ours[1], pairing))
        for identifier, at in ours[2]:
            self.used.add(identifier)
            here = [d for d in found if at is None or any(fnmatch.fnmatchcase(d[0], pattern) for pattern in at)]
            if not here:
                yield f"{ours[0]}: the difference {identifier} is not there"
            found = [d for d in found if d not in here]
        if any(path == "status" for path, _, _ in found):
            # Not each member that only one of them has.
            found = [("status", *([side[1]["status"], side[1]["body"]] for side in (vault, ours)))]
        for path, a, b in found:
            yield f"{ours[0]}: {path}: vault {show(a)}, k8sauthd {show(b)}"


def show(value):
    return json.dumps(value)[:VALUE_MAX]


SERVERS = {None: Servers, "shares": SealedServers, "transit": TransitServers}


def play_table(name):
    """Plays tables/NAME.py: its results, each (passed, title, lines), and the ids of the differences that it showed."""
    module, results = importlib.import_module("tables." + name), []
    if hasattr(module, "SEALED") and os.geteuid() != 0:
        return [(True, f"{name}: # SKIP needs root")], set()
    with Pair(SERVERS[getattr(module, "SEALED", None)](), getattr(module, "AUDITED", False)) as pair:
        for title, function in module.CASES:
            problems = pair.play(title, function)
            results.append((not problems, f"{name}: {title}", problems))
        results.append((pair.requests >= module.MINIMUM, f"{name}: {pair.requests} requests, at least {module.MINIMUM}"))
        return results, pair.used
