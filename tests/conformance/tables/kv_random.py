# SPDX-License-Identifier: Apache-2.0
"""Random sequences of KV requests over few keys: how versions, limits, deletions and check-and-set play together. The seed is in each
case's title."""
import random

from play import case
from tables._random import SEED

SEQUENCES, STEPS = 12, 120
MINIMUM = SEQUENCES * STEPS
KEYS = ("a", "a/b", "a/b/c", "z")
VALUES = ({}, {"x": 1}, {"x": None}, {"x": {"y": [1, 2.5], "z": None}}, {"x": {"y": {"deep": True}}, "n": 10**15}, "text", 5, [{"a": 1}])
NUMBERS = (0, 1, 2, 3, 4, 5, -1, 100, "2", "", None, True, 1.5, "x")
LIMITS = (0, 1, 2, 3, 5, -1, 100, "2", "", None, True)
DURATIONS = ("0s", "1h", 60, None, "1h30m", "")
CUSTOM = (None, {}, {"a": "b"}, {"a": "b", "c": "d"}, {"a": None}, {"a": ""}, {"k": 1})


def versions(r):
    return r.choice(([r.randrange(6) for _ in range(r.randrange(4))], [str(r.randrange(6))], "1,2", r.choice(NUMBERS)))


def settings(r, custom=True):
    """Of several wrong fields Vault tells a random one, so that there is one at most."""
    fields = [("max_versions", LIMITS), ("cas_required", (True, False, None, "true")), ("delete_version_after", DURATIONS)] + [("custom_metadata", CUSTOM)] * custom
    body = {name: r.choice(values) for name, values in fields if r.random() < 0.35}
    if body and r.random() < 0.2:
        name = r.choice(sorted(body))
        body[name] = {"delete_version_after": r.choice(("-1s", "x"))}.get(name, "x")
    return body


def write(r):
    body = {"data": r.choice(VALUES)} if r.random() < 0.9 else {}
    if r.random() < 0.3:
        body["options"] = r.choice(({}, {"cas": r.choice(NUMBERS)}, {"cas": r.randrange(4)}, None))
    return body


def step(s, r, mount):
    key = r.choice(KEYS)
    action = r.choices(("put", "get", "patch", "delete", "versions", "metadata", "read", "list", "subkeys", "remove", "config"),
                       (20, 10, 10, 6, 14, 10, 10, 3, 3, 2, 3))[0]
    if action == "put":
        s.post(f"{mount}/data/{key}", write(r))
    elif action == "get":
        s.get(f"{mount}/data/{key}", {"version": r.choice(NUMBERS[:9])} if r.random() < 0.5 else None)
    elif action == "patch":
        s.patch(f"{mount}/data/{key}", write(r))
    elif action == "delete":
        s.delete(f"{mount}/data/{key}")
    elif action == "versions":
        s.post(f"{mount}/{r.choice(('delete', 'undelete', 'destroy'))}/{key}", {"versions": versions(r)})
    elif action == "metadata":
        body = settings(r)
        odd = body.get("custom_metadata") == {"k": 1} or body.get("max_versions") == -1  # the difference kv-patch
        (s.post if odd else r.choice((s.post, s.patch)))(f"{mount}/metadata/{key}", body)
    elif action == "read":
        s.get(f"{mount}/metadata/{key}")
    elif action == "list":
        s.list(f"{mount}/metadata/{r.choice(('', 'a', 'a/b', 'z'))}")
    elif action == "subkeys":
        s.get(f"{mount}/subkeys/{key}", {"depth": r.choice(NUMBERS[:6])})
    elif action == "remove":
        s.delete(f"{mount}/metadata/{key}")
    else:
        s.post(f"{mount}/config", settings(r, custom=False))


def sequence(number):
    @case(f"seed {SEED}, sequence {number}")
    def _(s):
        r = random.Random(f"{SEED}/{number}")
        mount = f"random-{number}"
        s.post(f"sys/mounts/{mount}", {"type": "kv-v2"})
        s.wait_for(f"{mount}/metadata")
        for _ in range(STEPS):
            step(s, r, mount)
        for key in KEYS:
            s.get(f"{mount}/metadata/{key}")
            s.get(f"{mount}/data/{key}")


for number in range(SEQUENCES):
    sequence(number)
