# SPDX-License-Identifier: Apache-2.0
"""Init, unseal and seal with key shares, from the first start on: one case after the other, on the same two servers."""
import base64

from play import case
from tables._seal import KEYS, hide, status, unseal

SEALED, MINIMUM = "shares", 220
@case("not initialised")
def _(s):
    s.get("sys/init", token=None)
    status(s)
    s.get("sys/health", token=None)
    for path in ("sys/mounts", "secret/x", "auth/token/lookup-self", "sys/key-status", "sys/nope", "sys/internal/ui/mounts", "sys/capabilities-self"):
        s.get(path)
        s.post(path, {})
    s.get("sys/leader", token=None)
    for body in ({"key": "00"}, {}, {"key": ""}, {"key": "00" * 33}, {"reset": True}, {"reset": False}, {"key": 5}, {"key": ["a"]}, {"reset": "x"}):
        unseal(s, body)
    s.put("sys/seal", token=None)
    s.put("sys/step-down", token=None)
    s.get("sys/step-down", token=None)


@case("initialise: what is refused")
def _(s):
    for body in ({}, {"secret_shares": 5}, {"secret_threshold": 3}, {"secret_shares": 5, "secret_threshold": 6},
                 {"secret_shares": 5, "secret_threshold": 1}, {"secret_shares": 256, "secret_threshold": 3}, {"secret_shares": 256},
                 {"secret_shares": -1, "secret_threshold": 3}, {"secret_shares": 5, "secret_threshold": -3}, {"secret_shares": 300, "secret_threshold": 400},
                 {"secret_shares": 5, "secret_threshold": 0}, {"secret_shares": "x", "secret_threshold": 3}, {"secret_shares": 5, "secret_threshold": {}},
                 {"secret_shares": True}, {"secret_shares": [5]}, {"secret_shares": None, "secret_threshold": None}, {"bogus": 1},
                 {"secret_shares": 5, "secret_threshold": 3, "recovery_shares": 5, "recovery_threshold": 3},
                 {"secret_shares": 5, "secret_threshold": 3, "recovery_shares": 5}, {"recovery_shares": 5, "recovery_threshold": 3}):
        s.put("sys/init", body, token=None)
    with s.differs("pgp-keys"):
        for body in ({"secret_shares": 5, "secret_threshold": 3, "pgp_keys": ["a"]}, {"secret_shares": 1, "secret_threshold": 1, "pgp_keys": ["YQ=="]},
                     {"secret_shares": 2, "secret_threshold": 2, "pgp_keys": ["a", "b"]}):
            s.put("sys/init", body, token=None)
    s.put("sys/init", token=None)
    s.delete("sys/init", token=None)
    s.patch("sys/init", {}, token=None)
    s.get("sys/init", token=None)


@case("initialise")
def _(s):
    reply = s.put("sys/init", {"secret_shares": 5, "secret_threshold": 3}, token=None)
    hide(s, reply, "keys", "keys_base64")
    KEYS[s.name], s.server.token = reply["keys"], reply["root_token"]
    s.note("the same keys twice", [base64.b64decode(key).hex() for key in reply["keys_base64"]] == reply["keys"])
    s.get("sys/init", token=None)
    s.put("sys/init", {"secret_shares": 5, "secret_threshold": 3}, token=None)
    s.put("sys/init", {}, token=None)
    status(s)
    s.get("sys/health", token=None)
    s.get("auth/token/lookup-self")


@case("unseal: texts that are no keys")
def _(s):
    for key in ("00" * 15, "00" * 34, base64.b64encode(b"a" * 40).decode(), base64.b64encode(b"a" * 15).decode(), "zz!", "zz", "", 5, None, "=", "a===",
                "0" * 33, base64.b64encode(b"a").decode(), " ", "AA\n==", ["x"], {}, True, 1.5, "0" * 1000, "é"):
        unseal(s, {"key": key})
    unseal(s, {"key": KEYS[s.name][0], "migrate": True})
    unseal(s, {"key": KEYS[s.name][0], "reset": "yes"})
    unseal(s, {"key": KEYS[s.name][0], "migrate": "yes"})
    s.put("sys/unseal", token=None)
    for method in (s.get, s.delete, s.list):
        method("sys/unseal", token=None)
    status(s)


@case("unseal: progress, repeated shares, reset")
def _(s):
    keys = KEYS[s.name]
    for key in (keys[0], keys[0], base64.b64encode(bytes.fromhex(keys[0])).decode(), keys[0].upper(), keys[1]):
        unseal(s, {"key": key})
    status(s)
    unseal(s, {"reset": True})
    unseal(s, {"reset": True, "key": keys[1]})
    unseal(s, {"key": keys[2], "extra": True})
    unseal(s, {"reset": True})
    status(s)


@case("unseal: shares that do not fit")
def _(s):
    keys = KEYS[s.name]
    zero = "00" * 33
    for three in ((zero, keys[1], keys[2]), (keys[0], keys[1], "00" * 32), ("00" * 32 + "01", "00" * 31 + "0101", keys[2]),
                  ("00" * 16, "01" * 20, "02" * 33), ("00" * 16, "00" * 15 + "01", "00" * 15 + "02"), ("00" * 17, "00" * 16 + "01", "00" * 16 + "02"),
                  ("00" * 25, "00" * 24 + "01", "00" * 24 + "02"), (keys[0], keys[1], keys[2][:-2] + keys[3][-2:]), ("00" * 32, "00" * 31 + "01", "00" * 31 + "02")):
        for key in three:
            unseal(s, {"key": key})
    status(s)
    for path in ("sys/mounts", "auth/token/lookup-self", "secret/x", "cubbyhole/x", "sys/ha-status", "sys/replication/status", "sys/bogus",
                 "sys/key-status", "sys/rotate/config", "sys/internal/ui/mounts", "sys/internal/ui/namespaces", "sys/leases/count"):
        s.get(path)
        s.get(path, token=None)
        s.post(path, {})
    s.list("sys/policies/acl")
    s.request("HEAD", "sys/health", token=None)


@case("unseal and use")
def _(s):
    keys = KEYS[s.name]
    for key in (keys[4], keys[1], keys[3]):
        unseal(s, {"key": key})
    status(s)
    s.get("sys/health", token=None)
    s.get("auth/token/lookup-self")
    unseal(s, {"key": keys[0]})
    unseal(s, {"key": "zz"})
    unseal(s, {"key": "00" * 40})
    unseal(s, {"reset": True})
    unseal(s, {})
    s.post("sys/mounts/kv", {"type": "kv"})
    s.post("kv/a", {"b": "c"})
    s.put("sys/policies/acl/reader", {"policy": 'path "kv/*" { capabilities = ["read"] }'})


@case("seal and unseal again: what comes back, who may")
def _(s):
    keys = KEYS[s.name]
    some = s.post("auth/token/create", {"policies": ["reader"]})["auth"]["client_token"]
    twice = s.post("auth/token/create", {"policies": ["root"], "num_uses": 2})["auth"]["client_token"]
    s.get("sys/seal")
    for token in (None, "bad", some):
        s.put("sys/seal", token=token)
    for round_ in range(3):
        s.put("sys/seal", token=twice if round_ == 1 else s.server.token)
        s.put("sys/seal", token=None)
        status(s)
        s.get("kv/a", token=some)
        s.get("sys/health", token=None)
        for key in keys[round_ : round_ + 3]:
            unseal(s, {"key": key})
        s.get("kv/a", token=some)
        s.get("sys/mounts/kv")
        s.get("auth/token/lookup-self", token=some)
    s.put("sys/step-down")
    s.post("sys/seal", {"a": 1})
    for key in keys[:3]:
        unseal(s, {"key": key})
    s.get("kv/a", token=twice)
    s.get("kv/a", token=twice)
