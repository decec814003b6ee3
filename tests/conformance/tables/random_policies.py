# SPDX-License-Identifier: Apache-2.0
"""20,000 pairs of random policies and paths: what a token may do, by sys/capabilities-self, and by requests. Each run takes a fresh
seed (_random.py)."""
import http.client
import json
import random

from fakeapi import jwt
from play import case
from servers import TOKEN
from tables._kubernetes import mounted
from tables._random import SEED

CASES_N, BATCHES, PATHS, REQUESTS, POLICIES = 10, 20, 100, 12, 4
MINIMUM = CASES_N * BATCHES * 2
CAPABILITIES = ["create", "read", "update", "delete", "list", "patch", "sudo", "deny"]
WEIGHTS = [6, 8, 6, 4, 6, 2, 1, 2]
SEGMENTS = ["a", "b", "ab", "a-b", "c", "1"]


def path_of(rng):
    path = "/".join(["kv", *(rng.choice(SEGMENTS) for _ in range(rng.choice((0, 1, 1, 2, 2, 2, 3, 3, 4))))])
    return path + rng.choice(("", "", "", "/"))


def pattern_of(rng):
    """A path of a policy: of the kinds that people write, and the odd ones between them."""
    parts = path_of(rng).split("/")
    for number in range(len(parts)):
        if rng.random() < 0.25:
            parts[number] = "+"
        elif rng.random() < 0.03:
            parts[number] = rng.choice(("+a", "a+", "*", "a*b", "", "++"))
    pattern = "/".join(parts)
    end = rng.random()
    if end < 0.35:
        pattern = pattern[: rng.randint(max(len(pattern) - 2, 0), len(pattern))] + "*"
    elif end < 0.45:
        pattern += "/*"
    return ("/" if rng.random() < 0.05 else "") + pattern


def policy_of(rng):
    blocks = []
    for _ in range(rng.choice((1, 2, 3, 5, 8))):
        capabilities = sorted(set(rng.choices(CAPABILITIES, WEIGHTS, k=rng.choice((0, 1, 2, 3, 5)))), key=lambda _: rng.random())
        rule = f"capabilities = {json.dumps(capabilities)}"
        if rng.random() < 0.06:
            rule = f'policy = "{rng.choice(("read", "write", "sudo", "deny"))}"'
        blocks.append(f"path {json.dumps(pattern_of(rng))} {{ {rule} }}")
    return "\n".join(blocks)


def asked_paths(rng, policies):
    """Random ones, and such as suit a policy's patterns or just fail to."""
    patterns = [line.split('"')[1] for text in policies for line in text.split("\n")]
    paths = set()
    while len(paths) < PATHS:
        path = path_of(rng)
        if rng.random() < 0.6:
            path = "/".join(rng.choice(SEGMENTS) if part == "+" else part for part in rng.choice(patterns).split("/"))
            path = path.replace("*", rng.choice(("", "a", "b/c", "/", "-b")))
            path += rng.choice(("", "", "", "/", "/a", "b"))
        paths.add(path)
        paths.discard("")  # an error of its own
    return sorted(paths)


class Client:
    """One kept connection: what is compared are the verdicts, and not every member of 20,000 answers."""

    def __init__(self, session):
        self.connection = http.client.HTTPConnection("127.0.0.1", session.server.port, timeout=60)

    def __call__(self, method, path, data=None, token=TOKEN):
        body = None if data is None else json.dumps(data).encode()
        self.connection.request(method, "/v1/" + path, body, {"X-Vault-Token": token})
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None


def batch(session, client, rng, label):
    policies = [policy_of(rng) for _ in range(POLICIES)]
    written = [client("PUT", f"sys/policies/acl/random-{n}", {"policy": text}) for n, text in enumerate(policies)]
    chosen = rng.sample(range(POLICIES), rng.choice((1, 2, POLICIES)))
    client("POST", "auth/kubernetes/role/random", {
        "bound_service_account_names": "*", "bound_service_account_namespaces": "*", "audience": "vault",
        "token_policies": [f"random-{n}" for n in chosen] + ["random-asks"], "token_no_default_policy": True})
    token = client("POST", "auth/kubernetes/login", {"role": "random", "jwt": jwt()}, "")[1]["auth"]["client_token"]
    paths = asked_paths(rng, [policies[n] for n in chosen])
    title = f"{label}, policies {json.dumps([policies[n] for n in chosen])}"
    status, answer = client("POST", "sys/capabilities-self", {"paths": paths}, token)
    session.note(title, {"written": written, "status": status, "verdicts": (answer or {}).get("data")})
    verdicts = {}
    for number in range(REQUESTS):
        # A path that ends in a slash is policy-trailing-slash.
        method, path = rng.choice(("GET", "LIST", "POST", "PUT", "DELETE")), rng.choice(paths).strip("/")
        if path.startswith("kv/") and "//" not in path and "+" not in path and "*" not in path:
            verdicts[f"{number} {method} {path}"] = client(method, path, {"a": "b"} if method in ("POST", "PUT") else None, token)[0]
    session.note("requests of " + title, verdicts)


def group(number):
    @case(f"random policies and paths, {number + 1} of {CASES_N}")
    def _(session):
        rng = random.Random(f"{SEED}/{number}")
        client = Client(session)
        with mounted(session):
            client("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "1"}})
            client("PUT", "sys/policies/acl/random-asks", {"policy": 'path "sys/capabilities-self" { capabilities = ["update"] }'})
            for n in range(BATCHES):
                batch(session, client, rng, f"seed {SEED}, batch {number}/{n}")
            client("DELETE", "sys/mounts/kv")
            for n in range(POLICIES):
                client("DELETE", f"sys/policies/acl/random-{n}")


for n_ in range(CASES_N):
    group(n_)
