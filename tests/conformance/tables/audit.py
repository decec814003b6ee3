# SPDX-License-Identifier: Apache-2.0
"""Audit: devices and their options, hashes, headers, and the entries of requests of every kind."""
import contextlib
import json
import os
import time

from play import PATIENCE, TOKEN, case
from tables._kubernetes import login, mounted, role

MINIMUM = 250
AUDITED = True
ALL = 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }'


def order(value):
    """The names of an object and of those in it, in their order."""
    if isinstance(value, dict):
        return [[name, order(member)] for name, member in value.items()]
    return [order(member) for member in value] if isinstance(value, list) else None


def hashes(s, text, device="trail"):
    return s.post(f"sys/audit-hash/{device}", {"input": text})["data"]["hash"]


@contextlib.contextmanager
def device(s, name="two", kind="file", **options):
    """Enables a device whose file is s.place + "." + name."""
    path = f"{s.place}.{name}"
    s.put(f"sys/audit/{name}", {"type": kind, "options": {"file_path": path} | options})
    try:
        yield path
    finally:
        s.delete(f"sys/audit/{name}")
        if os.path.exists(path):
            settled(path, f"sys/audit/{name}", 1)


def settled(path, asked, count=2):
    """The entries in the file at PATH, as soon as the last COUNT are of requests for ASKED: an answer waits for one device only."""
    end = time.monotonic() + PATIENCE
    while True:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if text.endswith("\n"):
            found = [json.loads(line) for line in text.splitlines()]
            if [entry["request"]["path"] for entry in found[-count:]] == [asked] * count:
                return found
        if time.monotonic() > end:
            raise TimeoutError(f"{path} has no {count} entries of {asked} at its end: {text}")
        time.sleep(0.01)


def note_entries(s, path, title):
    with open(path, encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    for entry in found:
        entry["request"].pop("remote_port", None)
    s.note(title, found)
    s.note(title + ": their order", [order(entry) for entry in found])


def tokens(s):
    """A policy each, and tokens of some kinds."""
    s.put("sys/policies/acl/one", {"policy": 'path "secret/*" { capabilities = ["create", "read", "update", "list"] }'})
    s.put("sys/policies/acl/two", {"policy": 'path "secret/data/*" { capabilities = ["read", "patch"] }\npath "secret/data/no" { capabilities = ["deny"] }'})
    s.put("sys/policies/acl/all", {"policy": ALL})
    made = {}
    for name, body in (("both", {"policies": ["one", "two"], "meta": {"b": "2", "a": "1"}}), ("few", {"policies": ["two"], "num_uses": 3}),
                       ("all", {"policies": ["all"], "no_default_policy": True}), ("batch", {"policies": ["one"], "type": "batch"})):
        made[name] = s.post("auth/token/create", body)["auth"]["client_token"]
    return made


@case("devices: list, enable, disable, refusals")
def _(s):
    s.get("sys/audit")
    s.get("sys/audit/trail")
    s.list("sys/audit")
    s.put("sys/audit", {"type": "file"})
    s.put("sys/audit/trail", {"type": "file", "options": {"file_path": s.place + ".other"}})
    s.put("sys/audit/trail/below", {"type": "file", "options": {"file_path": s.place + ".other"}})
    s.put("sys/audit/x", {"type": "nope", "options": {"file_path": s.place + ".other"}})
    s.put("sys/audit/x", {"options": {"file_path": s.place + ".other"}})
    s.put("sys/audit/x", {"type": "file"})
    s.put("sys/audit/x", {"type": "file", "options": {}})
    s.put("sys/audit/x", {"type": "file", "options": {"file_path": s.place + ".audit"}})
    s.put("sys/audit/x", {"type": "file", "options": "nothing"})
    s.put("sys/audit/x", {"type": "file", "local": "maybe"})
    s.put("sys/audit/x", {"type": "socket"})
    s.put("sys/audit/x/", {"type": "file"})
    for options in ({"prefix": "x"}, {"mode": "abc"}, {"mode": "0755"}, {"log_raw": "maybe"}, {"hmac_accessor": "no"}, {"elide_list_responses": "x"},
                    {"format": "zz"}, {"skip_test": "x"}):
        s.put("sys/audit/x", {"type": "file", "options": {"file_path": s.place + ".other"} | options})
    for options in ({"write_timeout": "zz", "skip_test": "true"}, {"log_raw": "x"}):
        s.put("sys/audit/x", {"type": "socket", "options": {"address": "127.0.0.1:1"} | options})
    s.delete("sys/audit/nope")
    s.patch("sys/audit/x", {})
    s.put("sys/audit/a/b", {"type": "file", "description": "for people", "local": True, "options": {"file_path": s.place + ".ab", "mode": "0640"}})
    s.note("mode", oct(os.stat(s.place + ".ab").st_mode))
    s.put("sys/audit/a", {"type": "file", "options": {"file_path": s.place + ".other"}})
    s.put("sys/audit/raw", {"type": "file", "options": ["file_path=" + s.place + ".raw", "log_raw=true"]})
    s.put("sys/audit/off", {"type": "file", "options": {"file_path": "discard"}})
    s.put("sys/audit/old", {"type": "file", "options": {"path": s.place + ".old", "unknown": "x"}})
    s.put("sys/audit/quiet", {"type": "socket", "options": {"address": "127.0.0.1:1", "skip_test": "true", "write_timeout": "1s"}})
    s.get("sys/audit")
    for name in ("quiet", "old", "off", "raw", "a/b"):
        s.delete("sys/audit/" + name)
    s.get("sys/audit")
    s.get("sys/audit", token=None)
    s.get("sys/audit", token="nope")


@case("devices: what needs sudo")
def _(s):
    s.put("sys/policies/acl/some", {"policy": 'path "sys/audit*" { capabilities = ["read", "update", "delete"] }\n'
                                              'path "sys/config/auditing/*" { capabilities = ["read", "update"] }'})
    token = s.post("auth/token/create", {"policies": ["some"]})["auth"]["client_token"]
    s.get("sys/audit", token=token)
    s.put("sys/audit/x", {"type": "file"}, token=token)
    s.delete("sys/audit/trail", token=token)
    s.post("sys/audit-hash/trail", {"input": "x"}, token=token)
    s.get("sys/config/auditing/request-headers", token=token)
    s.post("sys/config/auditing/request-headers/x-a", {}, token=token)


@case("hash: of what an entry has")
def _(s):
    for text in (TOKEN, "", "x", "text with blanks", "\u00fc\u20ac", 5, True, None):
        s.post("sys/audit-hash/trail", {"input": text})
    s.post("sys/audit-hash/trail", {})
    s.post("sys/audit-hash/nope", {"input": "x"})
    s.get("sys/audit-hash/trail")
    s.post("secret/data/h", {"data": {"password": "hunter2", "n": 17, "list": ["a", {"deep": "b"}]}})
    sent, answered = s.entries
    found = sent["request"]["data"]["data"]
    for text, at in ((TOKEN, sent["auth"]["client_token"]), (TOKEN, answered["request"]["client_token"]), ("hunter2", found["password"]),
                     ("17", found["n"]), ("a", found["list"][0]), ("b", found["list"][1]["deep"])):
        s.note(f"hash of {text}", hashes(s, text) == at)
    token = s.post("auth/token/create", {"policies": ["default"]})
    made = s.entries[1]["response"]["auth"]
    s.note("hash of a new token", hashes(s, token["auth"]["client_token"]) == made["client_token"])
    s.note("hash of its accessor", hashes(s, token["auth"]["accessor"]) == made["accessor"])


@case("headers: which are shown")
def _(s):
    path = "sys/config/auditing/request-headers"
    s.get(path)
    s.get(path + "/user-agent")
    s.get(path + "/User-Agent")
    s.get(path + "/nope")
    s.list(path)
    s.get("sys/config/auditing")
    s.post(path + "/X-Foo", {"hmac": True})
    s.post(path + "/X-Bar", {})
    s.post(path + "/X-Bad", {"hmac": "zz"})
    s.get(path + "/x-foo")
    s.get(path)
    for headers in ({"X-Foo": "a", "X-Bar": "c<>", "User-Agent": "me"}, {"x-foo": "a"}, {"X-Correlation-Id": "1", "Correlation-Id": "2"}, {"X-Other": "n"}):
        s.get("secret/data/nope", headers=headers)
    s.put(path + "/x-bar", {"hmac": "true"})
    s.get("secret/data/nope", headers={"X-Foo": "a", "X-Bar": "a"})
    s.delete(path + "/x-foo")
    s.delete(path + "/x-foo")
    s.delete(path + "/x-bar")
    s.delete(path + "/user-agent")
    s.get("secret/data/nope", headers={"X-Foo": "a", "User-Agent": "me"})
    s.put(path + "/user-agent", {"hmac": False})
    s.get(path)


@case("options: raw, accessors, lists")
def _(s):
    s.post("secret/data/o/a", {"data": {"x": "y"}})
    s.post("secret/data/o/b", {"data": {"x": "y"}})
    for options in ({"log_raw": "true"}, {"hmac_accessor": "false"}, {"elide_list_responses": "true"}, {"elide_list_responses": "1", "log_raw": "T"}):
        with device(s, **options) as path:
            s.post("secret/data/o/c", {"data": {"x": "<&>\u2028", "n": 1, "t": True, "z": None}})
            s.list("secret/metadata/o")
            s.list("secret/metadata/none")
            s.post("auth/token/lookup", {"token": TOKEN})
            s.get("secret/data/o/a", headers={"X-Vault-Wrap-TTL": "60"})
        os.rename(path, path + ".done")
        note_entries(s, path + ".done", f"entries with {options}")


@case("mounts: what is shown in clear")
def _(s):
    s.post("sys/mounts/clear", {"type": "kv", "options": {"version": "2"}})
    s.wait_for("clear/metadata/")
    s.post("sys/mounts/clear/tune", {"audit_non_hmac_request_keys": ["x", "options"], "audit_non_hmac_response_keys": "y,created_time,error"})
    s.post("clear/data/a", {"data": {"x": "shown", "y": "hidden", "l": {"x": ["shown", {"z": "hidden"}]}, "n": 1}, "options": {"cas": 0}})
    s.get("clear/data/a")
    s.post("clear/data/a", {"data": {"x": 5}, "options": {"cas": 9}})
    s.post("clear/data/a", {"data": "x"})
    with s.differs("audit-empty-members", at="audit[[]1].response.data.*entity_id"):
        s.get("clear/metadata/a")
    s.post("sys/auth/clear", {"type": "kubernetes", "config": {"audit_non_hmac_request_keys": ["role"]}})
    s.post("auth/clear/login", {"role": "shown", "jwt": "hidden"})
    s.delete("sys/auth/clear")
    s.delete("sys/mounts/clear")


@case("entries: key/value")
def _(s):
    s.post("secret/data/a", {"data": {"x": "y", "n": 5, "b": True, "z": None, "l": ["a", 1, {"k": "v"}], "t": "2024-01-01T00:00:00Z"}})
    s.get("secret/data/a")
    s.get("secret/data/a?version=1")
    s.get("secret/data/none")
    s.get("secret/data/a?version=9")
    s.list("secret/metadata")
    s.get("secret/metadata?list=true")
    s.list("secret/metadata/none")
    s.patch("secret/data/a", {"data": {"x": "z"}})
    s.patch("secret/data/none", {"data": {"x": "z"}})
    s.delete("secret/data/a")
    s.get("secret/data/a")
    s.post("secret/undelete/a", {"versions": [2]})
    s.post("secret/destroy/a", {"versions": [1]})
    s.delete("secret/metadata/a")
    s.post("secret/data/a", {})
    s.post("secret/data/a", {"x": 1})
    s.post("secret/data/a", {"data": {"a": 1}, "options": {"cas": 7}})
    s.post("secret/data/a", {"data": "x"})
    s.get("secret")
    s.get("secret/")
    s.get("secret/other/x")
    s.get("nowhere/x")
    s.put("nowhere/x", {"a": "b"})
    s.post("secret/data/", {"data": {}})
    s.request("PUT", "secret/data/a", body=b'{"a":', headers={"Content-Type": "application/json"})
    s.post("cubbyhole/x", {"a": "b", "n": 1})
    s.get("cubbyhole/x")
    s.list("cubbyhole")
    s.delete("cubbyhole/x")
    s.post("sys/mounts/one", {"type": "kv"})
    s.post("one/x", {"a": "b", "n": 1})
    s.post("one/x", {"a": "c"})
    s.get("one/x")
    s.list("one")
    s.delete("one/x")
    s.get("one/x")
    s.delete("sys/mounts/one")


@case("entries: who asks")
def _(s):
    made = tokens(s)
    for name in ("both", "few", "all", "batch"):
        for path in ("secret/data/a", "secret/data/no", "sys/policies/acl/one", "secret/metadata/a"):
            s.get(path, token=made[name])
        s.post("secret/data/b", {"data": {"a": "b"}}, token=made[name])
        s.list("secret/metadata", token=made[name])
    for name in ("both", "all"):
        s.get("auth/token/lookup-self", token=made[name])
        s.post("auth/token/renew-self", {"increment": "1h"}, token=made[name])  # less than what is left, whatever second it is
        s.post("auth/token/revoke-self", {}, token=made[name])
        s.get("secret/data/a", token=made[name])
    for token in (None, "nope", "hvs.CAESI", "hvb.AAAA"):
        s.get("secret/data/a", token=token)
        s.post("secret/data/a", {"data": {"a": "b"}}, token=token)
        s.get("nowhere", token=token)


@case("entries: the system and tokens")
def _(s):
    for path in ("sys/leader", "sys/policies/acl", "sys/policy", "sys/policies/acl/none", "sys/capabilities-self", "sys/internal/ui/resultant-acl"):
        s.get(path)
    s.post("sys/capabilities-self", {"paths": ["a", "b"]})
    s.post("sys/capabilities", {"token": TOKEN, "paths": ["a"]})
    s.post("sys/tools/hash", {"input": "YQ=="})
    s.put("sys/policies/acl/new", {"policy": 'path "a" { capabilities = ["read"] }'})
    s.put("sys/policies/acl/bad", {"policy": "path"})
    s.get("sys/policies/acl/new")
    s.delete("sys/policies/acl/new")
    s.put("sys/mounts/m", {"type": "kv"})
    s.post("sys/mounts/m/tune", {"max_lease_ttl": "1h"})
    s.delete("sys/mounts/m")
    token = s.post("auth/token/create", {"policies": ["default"], "ttl": "1h", "display_name": "a<&>b"})["auth"]
    s.post("auth/token/lookup", {"token": token["client_token"]})
    s.post("auth/token/lookup-accessor", {"accessor": token["accessor"]})
    s.post("auth/token/lookup", {"token": "none"})
    s.post("auth/token/renew", {"token": token["client_token"], "increment": "30m"})
    s.post("auth/token/renew-accessor", {"accessor": token["accessor"]})
    s.post("auth/token/revoke-accessor", {"accessor": token["accessor"]})
    s.post("auth/token/revoke-accessor", {"accessor": "none"})
    s.post("auth/token/create", {"ttl": "x"})
    s.post("auth/token/roles/r", {"allowed_policies": "default", "token_bound_cidrs": "127.0.0.0/8"})
    s.get("auth/token/roles/r")
    s.post("auth/token/create/r", {})
    s.delete("auth/token/roles/r")


@case("entries: wrapping")
def _(s):
    s.post("secret/data/w", {"data": {"x": "y"}})
    for query in ("secret/data/w", "secret/data/none", "sys/policies/acl/default"):
        reply = s.get(query, headers={"X-Vault-Wrap-TTL": "60"})
        if reply.status != 200:
            continue
        token = reply["wrap_info"]["token"]
        s.post("sys/wrapping/lookup", {"token": token})
    token = s.get("secret/data/w", headers={"X-Vault-Wrap-TTL": "60"})["wrap_info"]["token"]
    token = s.post("sys/wrapping/rewrap", {"token": token})["wrap_info"]["token"]
    s.post("sys/wrapping/unwrap", {"token": token})
    token = s.post("sys/wrapping/wrap", {"a": "b"}, headers={"X-Vault-Wrap-TTL": "60"})["wrap_info"]["token"]
    s.post("sys/wrapping/unwrap", {}, token=token)
    s.post("auth/token/create", {"policies": ["default"]}, headers={"X-Vault-Wrap-TTL": "60"})


@case("entries: logins")
def _(s):
    with mounted(s):
        role(s, token_policies="one,two", token_ttl="1h")
        for _ in range(2):
            token = login(s)["auth"]["client_token"]
        s.get("auth/token/lookup-self", token=token)
        s.post("auth/token/renew-self", {}, token=token)
        entity = s.get("auth/token/lookup-self", token=token)["data"]["entity_id"]
        s.post("identity/entity/id/" + entity, {"policies": ["three"], "metadata": {"team": "red"}})
        s.get("auth/token/lookup-self", token=token)
        s.get("secret/data/a", token=token)
        role(s, token_num_uses=2, token_no_default_policy=True)
        token = login(s)["auth"]["client_token"]
        s.get("auth/token/lookup-self", token=token)
        role(s, "batch", token_type="batch", token_policies="one")
        token = login(s, role="batch")["auth"]["client_token"]
        s.get("secret/data/a", token=token)
        s.post("identity/entity/id/" + entity, {"disabled": True})
        s.get("secret/data/a", token=token)


@case("differences")
def _(s):
    with s.differs("audit-refused-options"):
        s.put("sys/audit/x", {"type": "file", "options": {"file_path": s.place + ".xml", "format": "jsonx"}})
    s.delete("sys/audit/x")
    with s.differs("audit-texts", at="body.errors*"):
        s.put("sys/audit/x", {"type": "file", "options": {"file_path": "/proc/nothing/x"}})
        s.put("sys/audit/x", {"type": "socket", "options": {"address": "127.0.0.1:1"}})
    s.post("secret/data/n", {"data": {"f": 1.5, "g": 1e3}})
    found = s.entries[0]["request"]["data"]["data"]
    s.note("a number", found["f"] == hashes(s, "1.5"))
    with s.differs("audit-numbers"):
        s.note("a whole number", found["g"] == hashes(s, "1000.0"))
    with mounted(s):
        role(s)
        with s.differs("audit-login-errors", at="audit[[]1].error"):
            login(s, "no.jwt.this")
        s.post("auth/kubernetes/login", {"role": "nobody", "jwt": "x"}, token=None)
        with s.differs("audit-unread-writes", at="audit*"):
            role(s, token_ttl="x")
    with s.differs("audit-wrapping", at="audit"):
        s.post("sys/wrapping/unwrap", {"token": "nothing"})
    with s.differs("audit-warnings", at="audit[[]1].response*"):
        s.post("sys/capabilities-accessor", {"path": "x", "token": "y", "accessor": ""})
    with s.differs("audit-open-paths", at="audit"):
        s.get("sys/replication/status", token=None)


@case("what a rate limit quota refuses")
def _(s):
    quota = "sys/quotas/rate-limit/q"
    for logged in (False, True):
        s.post("sys/quotas/config", {"enable_rate_limit_audit_logging": logged, "rate_limit_exempt_paths": ["secret/data/free"]})
        s.post(quota, {"rate": 1, "path": "secret/", "interval": "10m"})
        s.get("secret/data/x")
        for token in ("root", None, "bad"):
            s.get("secret/data/x", token=token)
            s.post("secret/data/x", {"data": {"a": "b"}}, token=token)
            s.get("secret/data/free", token=token)
        s.list("secret/metadata")
        s.get("secret/data/x", {"version": "1"})
        s.get("secret/data/x", headers={"X-Vault-Wrap-TTL": "1m"})
        s.get("secret")
        s.delete(quota)
        with mounted(s):
            role(s)
            s.post(quota, {"rate": 1, "path": "auth/kubernetes/login", "interval": "10m"})
            for _ in range(3):
                login(s)
            s.delete(quota)
    s.post("sys/quotas/config", {})
