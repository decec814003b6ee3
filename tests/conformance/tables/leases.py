# SPDX-License-Identifier: Apache-2.0
"""sys/leases where tables of tokens do not look: irrevocable leases and their limits, prefixes of secrets, tidy, sudo, methods."""
import contextlib
import time

from play import case

MINIMUM = 150
LIMITS = ("none", "1", "2", "10000", "0", "-1", "x", "1.5", "", " 1", "9999999999999999999999", "+5", "None")
READER = 'path "sys/leases" { capabilities = ["read"] }\npath "sys/leases/*" { capabilities = ["read", "update", "list"] }'
SUDO = 'path "sys/leases" { capabilities = ["read", "sudo"] }\npath "sys/leases/*" { capabilities = ["read", "update", "list", "sudo"] }'


def policy_token(s, name, text):
    s.put(f"sys/policies/acl/{name}", {"policy": text})
    return s.post("auth/token/create", {"policies": [name]})["auth"]["client_token"]


@case("irrevocable leases: none, by every parameter")
def _(s):
    for path in "sys/leases", "sys/leases/count":
        for kind in "irrevocable", "Irrevocable", "", "all", "expired":
            s.get(path, {"type": kind})
            s.get(path, {"type": kind, "include_child_namespaces": "true"})
        for children in "true", "false", "1", "x", "":
            s.get(path, {"type": "irrevocable", "include_child_namespaces": children})
        s.get(path, {"type": "irrevocable", "unknown": "x"})
        s.get(path, {"limit": "none"})
        s.post(path, {"type": "irrevocable"})
        s.delete(path)
    for limit in LIMITS:
        s.get("sys/leases", {"type": "irrevocable", "limit": limit})
    s.get("sys/leases/count", {"type": "irrevocable", "limit": "x"})


@case("who may ask")
def _(s):
    for name, text in (("reader", READER), ("sudo", SUDO), ("none", "")):
        token = policy_token(s, name, text or 'path "x" { capabilities = ["read"] }')
        s.get("sys/leases", {"type": "irrevocable"}, token=token)
        s.get("sys/leases", {"type": "irrevocable", "limit": "none"}, token=token)
        s.get("sys/leases/count", {"type": "irrevocable"}, token=token)
        s.list("sys/leases/lookup", token=token)
        s.list("sys/leases/lookup/secret/", token=token)
        s.put("sys/leases/lookup", {"lease_id": "secret/x/y"}, token=token)
        s.put("sys/leases/renew", {"lease_id": "secret/x/y"}, token=token)
        s.put("sys/leases/revoke", {"lease_id": "secret/x/y"}, token=token)
        s.put("sys/leases/revoke-prefix/secret", {}, token=token)
        s.put("sys/leases/revoke-force/secret", {}, token=token)
        s.put("sys/leases/tidy", {}, token=token)
        s.put("auth/token/tidy", {}, token=token)
    for path in "sys/leases", "sys/leases/count":
        s.get(path, {"type": "irrevocable"}, token=None)


@case("leases that are not there")
def _(s):
    for lease in ("secret/x", "secret/data/a/" + "a" * 24, "database/creds/r/" + "b" * 24, "x", "/", "a//b", "sys/x", "auth/x/y", "a" * 500):
        s.put("sys/leases/lookup", {"lease_id": lease})
        s.put("sys/leases/renew", {"lease_id": lease})
        s.put("sys/leases/renew", {"lease_id": lease, "increment": 60})
        s.put("sys/leases/revoke", {"lease_id": lease})
        s.put("sys/leases/revoke", {"lease_id": lease, "sync": False})
    for fields in {"lease_id": 5}, {"lease_id": None}, {"lease_id": ""}, {"lease_id": ["x/y"]}, {"lease_id": {"a": 1}}, {"lease_id": True}:
        for path in "sys/leases/lookup", "sys/leases/renew", "sys/leases/revoke":
            s.put(path, fields)


@case("prefixes of secrets")
def _(s):
    for prefix in "secret", "secret/", "secret/data", "cubbyhole", "sys", "nothing", "nothing/at/all/":
        s.list(f"sys/leases/lookup/{prefix}")
        for path in "sys/leases/revoke-prefix", "sys/leases/revoke-force":
            s.put(f"{path}/{prefix}", {})
            s.put(f"{path}/{prefix}", {"sync": False})


@case("a mount goes with its leases")
def _(s):
    s.post("sys/mounts/one", {"type": "kv"})
    s.post("one/a", {"ttl": "1h", "v": 1})
    s.get("one/a")
    s.list("sys/leases/lookup/one")
    s.put("sys/leases/revoke-prefix/one", {})
    s.post("sys/remount", {"from": "one", "to": "two"})
    s.delete("sys/mounts/two")
    s.list("sys/leases/lookup/two")


def tidied():
    time.sleep(0.3)  # while it is at work another answer is given


@case("what is valid outlives tidy")
def _(s):
    parent = s.post("auth/token/create", {"policies": ["root"]})["auth"]["client_token"]
    child = s.post("auth/token/create", {"policies": ["root"]}, token=parent)["auth"]["client_token"]
    orphan = s.post("auth/token/create", {"policies": ["root"]}, token=parent)["auth"]["client_token"]
    wrapped = s.post("sys/wrapping/wrap", {"a": "b"}, headers={"X-Vault-Wrap-TTL": "5m"})["wrap_info"]["token"]
    s.put("cubbyhole/x/y", {"a": "b"}, token=child)
    s.post("auth/token/tidy")
    s.post("sys/leases/tidy")
    tidied()
    for token in parent, child, orphan:
        s.get("auth/token/lookup-self", token=token)
    s.get("cubbyhole/x/y", token=child)
    s.post("sys/wrapping/unwrap", token=wrapped)
    s.list("sys/leases/lookup/auth/token")
    s.post("auth/token/revoke-orphan", {"token": parent})
    s.post("auth/token/tidy")
    tidied()
    s.get("auth/token/lookup-self", token=orphan)
    s.post("auth/token/revoke", {"token": child})
    s.get("cubbyhole/x/y", token=child)


@case("tidy")
def _(s):
    for path in "sys/leases/tidy", "auth/token/tidy":
        s.post(path)
        tidied()
        s.put(path, {})
        tidied()
        s.post(path, {"x": 1})
        tidied()
        s.get(path)
        s.list(path)
        s.delete(path)


def wrapped(s, path, method="GET", data=None):
    return s.request(method, path, data, headers={"X-Vault-Wrap-TTL": "10m"})["wrap_info"]["token"]


@case("wrapped answers have leases under the paths that gave them")
def _(s):
    for how in "lookup", "revoke", "revoke-prefix/kv1", "revoke-force/kv1", "revoke-prefix/kv1/a", "revoke-prefix/sys/wrapping":
        s.post("sys/mounts/kv1", {"type": "kv"})
        s.post("kv1/a", {"v": 1})
        s.post("kv1/b/c", {"v": 1})
        tokens = [wrapped(s, "kv1/a"), wrapped(s, "kv1/b/c"), wrapped(s, "sys/wrapping/wrap", "POST", {"a": 1})]
        for path in "kv1", "kv1/a", "kv1/b", "sys", "sys/wrapping", "sys/wrapping/wrap":
            s.list("sys/leases/lookup/" + path)
        lease = "kv1/a/" + s.list("sys/leases/lookup/kv1/a")["data"]["keys"][0]
        if how in ("lookup", "revoke"):
            s.put(f"sys/leases/{how}", {"lease_id": lease})
            s.put("sys/leases/renew", {"lease_id": lease})
        else:
            s.put("sys/leases/" + how, {})
        s.list("sys/leases/lookup/kv1")
        for token in tokens:
            s.post("sys/wrapping/lookup", {"token": token}, token=None)
            s.post("sys/wrapping/unwrap", {"token": token})
        s.delete("sys/mounts/kv1")


@case("a wrapped answer ends with its mount, or its path")
def _(s):
    for rewrap in False, True:
        for move in False, True:
            s.post("sys/mounts/kv1", {"type": "kv"})
            s.post("kv1/a", {"v": 1})
            token = wrapped(s, "kv1/a")
            if rewrap:
                token = s.post("sys/wrapping/rewrap", {"token": token})["wrap_info"]["token"]
            if move:
                s.wait_moved(s.post("sys/remount", {"from": "kv1", "to": "kv2"}))
            else:
                s.delete("sys/mounts/kv1")
            with s.differs("rewrapped-mount") if rewrap else contextlib.nullcontext():
                s.post("sys/wrapping/lookup", {"token": token})
                s.post("sys/wrapping/unwrap", {"token": token})
            s.delete("sys/mounts/kv2")
