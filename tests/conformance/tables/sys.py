# SPDX-License-Identifier: Apache-2.0
"""sys/: mounts, auth methods, tune, moves, the UI's paths, status, tools, the plugin catalogue, and who may ask for them."""
import contextlib
import http.client
import urllib.parse
import uuid

from fakeapi import jwt
from play import Reply, case

MINIMUM = 150

LISTS = ("audit_non_hmac_request_keys", "audit_non_hmac_response_keys", "passthrough_request_headers", "allowed_response_headers",
         "allowed_managed_keys", "delegated_auth_accessors")


def fresh(s):
    """Takes away the mounts of the cases before."""
    recorded = len(s.records)
    for kind, kept in (("mounts", ("secret/", "sys/", "cubbyhole/", "identity/")), ("auth", ("token/",))):
        for path in s.get(f"sys/{kind}")["data"]:
            if path not in kept:
                s.delete(f"sys/{kind}/" + urllib.parse.quote(path))
    del s.records[recorded:]


def policy(s, name, text):
    """A token with one policy, by a login."""
    s.put(f"sys/policies/acl/{name}", {"policy": text})
    s.post("sys/auth/pods", {"type": "kubernetes"})
    s.post("auth/pods/config", {"kubernetes_host": s.api.host, "kubernetes_ca_cert": s.api.ca, "token_reviewer_jwt": "reviewer"})
    s.post(f"auth/pods/role/{name}", {"bound_service_account_names": "webapp-sa", "bound_service_account_namespaces": "webapp-ns",
                                      "token_policies": [name], "token_no_default_policy": True, "audience": "vault"})
    return s.post("auth/pods/login", {"role": name, "jwt": jwt(jti=str(uuid.uuid4()))}, token=None)["auth"]["client_token"]


def state(s, *paths):
    """What a mount's paths say afterwards."""
    for path in paths:
        s.get(f"sys/mounts/{path}")
        s.get(f"sys/mounts/{path}/tune")


# --- secret engines


@case("mounts: what there is at the start")
def _(s):
    fresh(s)
    s.get("sys/mounts")
    s.get("sys/mounts/secret")
    s.get("sys/mounts/secret/")
    s.get("sys/mounts/sys")
    s.get("sys/mounts/cubbyhole")
    s.get("sys/mounts/identity")
    s.get("sys/mounts/")
    s.list("sys/mounts")
    s.get("sys/mounts", {"foo": "1"})
    s.get("sys/mounts/nope")
    s.get("sys/mounts/nope/tune")
    s.get("sys/mounts/secret/tune")
    s.get("sys/mounts/sys/tune")
    s.get("sys/mounts/cubbyhole/tune")
    s.get("sys/mounts/identity/tune")
    s.get("sys/mounts/secret/other")
    s.get("sys/mounts/auth/token")
    s.get("sys/mounts/auth/token/tune")
    s.patch("sys/mounts/secret", {})
    s.request("HEAD", "sys/mounts")


@case("mounts: enabling, by every field")
def _(s):
    fresh(s)
    s.post("sys/mounts/kv2", {"type": "kv-v2", "description": "d", "config": {"default_lease_ttl": "1h", "max_lease_ttl": 7200}, "foo": 1})
    state(s, "kv2")
    s.post("sys/mounts/kv1", {"type": "kv-v1"})
    state(s, "kv1")
    s.post("sys/mounts/plain", {"type": "kv"})
    state(s, "plain")
    s.put("sys/mounts/a/b/c/", {"type": "kv"})
    s.put("sys/mounts/a/b/c", {"type": "kv", "options": {"version": 2, "other": "x"}})
    state(s, "a/b/c")
    s.post("sys/mounts/flags", {"type": "kv", "options": {"version": "2"}, "local": True, "seal_wrap": True, "external_entropy_access": True})
    state(s, "flags")
    s.post("sys/mounts/nulls", {"type": "kv", "options": None, "config": None, "description": None, "local": None})
    state(s, "nulls")
    s.post("sys/mounts/version", {"type": "kv-v1", "options": {"version": "2"}})
    state(s, "version")
    s.post("sys/mounts/named", {"type": "plugin", "plugin_name": "kv"})
    s.post("sys/mounts/named2", {"plugin_name": "kv"})
    s.post("sys/mounts/named3", {"type": "plugin", "config": {"plugin_name": "kv"}})
    state(s, "named")
    s.get("sys/mounts")


@case("mounts: the settings given when enabling")
def _(s):
    fresh(s)
    s.post("sys/mounts/all", {"type": "kv-v2", "config": {
        "default_lease_ttl": "30m", "max_lease_ttl": "2h", "force_no_cache": True, "listing_visibility": "unauth",
        "audit_non_hmac_request_keys": ["a", "b"], "audit_non_hmac_response_keys": ["c"], "passthrough_request_headers": ["X-A"],
        "allowed_response_headers": ["X-B"], "allowed_managed_keys": ["k"], "delegated_auth_accessors": ["acc"],
        "identity_token_key": "default", "trim_request_trailing_slashes": True, "unknown": 1}})
    state(s, "all")
    for name in LISTS:
        s.post(f"sys/mounts/text-{name}", {"type": "kv", "config": {name: "a,b"}})
        state(s, f"text-{name}")
    s.post("sys/mounts/hidden", {"type": "kv", "config": {"listing_visibility": "hidden"}})
    state(s, "hidden")
    s.post("sys/mounts/empty", {"type": "kv", "config": {"listing_visibility": "", "audit_non_hmac_request_keys": []}})
    state(s, "empty")
    s.post("sys/mounts/bad", {"type": "kv", "config": {"listing_visibility": "public"}})
    s.post("sys/mounts/bad", {"type": "kv", "config": {"trim_request_trailing_slashes": "maybe"}})
    s.post("sys/mounts/bad", {"type": "kv", "config": {"trim_request_trailing_slashes": "true"}})
    s.post("sys/mounts/bad2", {"type": "kv", "config": {"token_type": "service"}})
    s.post("sys/mounts/bad3", {"type": "kv", "config": {"token_type": "x"}})
    s.post("sys/mounts/bad4", {"type": "kv", "config": {"user_lockout_config": {"lockout_threshold": "3"}}})
    s.post("sys/mounts/bad5", {"type": "kv", "config": {"identity_token_key": "nope"}})
    s.post("sys/mounts/bad6", {"type": "kv", "config": {"delegated_auth_accessors": ["nope"]}})
    s.post("sys/mounts/bad7", {"type": "kv", "config": {"plugin_version": "v1.0.0"}})
    s.post("sys/mounts/bad8", {"type": "kv", "config": {"force_no_cache": "x"}})
    s.post("sys/mounts/bad9", {"type": "kv", "config": {"audit_non_hmac_request_keys": {"a": 1}}})
    s.get("sys/mounts")


@case("mounts: what cannot be enabled")
def _(s):
    fresh(s)
    s.post("sys/mounts/kv", {"type": "kv-v2"})
    s.post("sys/mounts/kv", {"type": "kv-v2"})
    s.post("sys/mounts/kv/sub", {"type": "kv-v2"})
    s.post("sys/mounts/x/y", {"type": "kv-v2"})
    s.post("sys/mounts/x", {"type": "kv-v2"})
    s.post("sys/mounts/q", {})
    s.post("sys/mounts/q", {"type": ""})
    s.post("sys/mounts/q", {"type": 5})
    s.post("sys/mounts/q", {"type": ["kv"]})
    s.post("sys/mounts/q", {"type": "nope"})
    s.post("sys/mounts/q", {"type": "system"})
    s.post("sys/mounts/q", {"type": "cubbyhole"})
    s.post("sys/mounts/q", {"type": "identity"})
    s.post("sys/mounts/q", {"type": "token"})
    s.post("sys/mounts/q", {"type": "ns_token"})
    s.post("sys/mounts/q", {"type": "kubernetes-auth"})
    with s.differs("kv-old-name"):
        s.post("sys/mounts/q", {"type": "generic"})
    s.delete("sys/mounts/q")
    s.post("sys/mounts/q", {"type": "plugin"})
    s.post("sys/mounts/q", {"type": "kv", "options": {"version": "3"}})
    s.post("sys/mounts/q", {"type": "kv", "options": "x"})
    s.post("sys/mounts/q", {"type": "kv", "options": ["a=b"]})
    s.post("sys/mounts/q", {"type": "kv", "options": {"a": {"b": 1}}})
    s.post("sys/mounts/q", {"type": "kv", "local": "x"})
    s.post("sys/mounts/q", {"type": "kv", "plugin_version": "v1.2.3"})
    s.post("sys/mounts/q", {"type": "kv", "plugin_version": "nonsense"})
    s.post("sys/mounts/q", {"type": "kv", "description": {"a": 1}})
    for path in ("sys", "sys/x", "auth", "auth/x", "audit/x", "cubbyhole", "cubbyhole/x", "identity", "identity/x", "token"):
        s.post(f"sys/mounts/{path}", {"type": "kv"})
    s.delete("sys/mounts/token")
    with s.differs("own-api-mount"):
        s.post("sys/mounts/k8sauth/x", {"type": "kv"})
    s.delete("sys/mounts/k8sauth/x")
    for config in ({"default_lease_ttl": "3h", "max_lease_ttl": "2h"}, {"default_lease_ttl": "9999h"}, {"default_lease_ttl": "x"},
                   {"max_lease_ttl": "x"}, {"max_lease_ttl": "9999h"}, {"default_lease_ttl": True}, {"default_lease_ttl": "system"},
                   {"default_lease_ttl": "0"}, {"default_lease_ttl": ""}, {"default_lease_ttl": 1.5}, {"default_lease_ttl": "1d"}):
        s.post("sys/mounts/ttl", {"type": "kv", "config": config})
        s.get("sys/mounts/ttl")
        s.delete("sys/mounts/ttl")
    s.post("sys/mounts/q", {"type": "kv", "config": "x"})
    s.post("sys/mounts/q", {"type": "kv", "config": ["x"]})
    for path in ("with%20blank", "%20lead", "a..b", "dot.", "quote%22", "star*", "plus+", "k%C3%A4se"):
        s.post(f"sys/mounts/{path}", {"type": "kv"})
        s.get(f"sys/mounts/{path}")
    s.get("sys/mounts")


@case("mounts: disabling")
def _(s):
    fresh(s)
    s.post("sys/mounts/gone", {"type": "kv-v2"})
    s.post("gone/data/x", {"data": {"a": 1}})
    s.delete("sys/mounts/gone")
    s.get("gone/data/x")
    s.get("sys/mounts/gone")
    s.post("sys/mounts/gone", {"type": "kv-v2"})
    s.get("gone/data/x")
    s.delete("sys/mounts/gone/")
    s.delete("sys/mounts/nope")
    s.delete("sys/mounts/sys")
    s.delete("sys/mounts/cubbyhole")
    s.delete("sys/mounts/identity")
    s.delete("sys/mounts/auth/token")
    s.delete("sys/mounts/secret/tune")
    s.delete("sys/mounts")
    s.delete("sys/mounts/")


# --- auth methods


@case("auth: enabling, reading, disabling")
def _(s):
    fresh(s)
    s.get("sys/auth")
    s.get("sys/auth/token")
    s.get("sys/auth/token/tune")
    s.get("sys/auth/nope")
    s.get("sys/auth/nope/tune")
    s.get("sys/auth/")
    s.list("sys/auth")
    s.post("sys/auth/k", {"type": "kubernetes", "description": "x", "options": {"a": "b"},
                           "config": {"token_type": "service", "max_lease_ttl": "1h"}})
    state(s, "auth/k")
    s.get("sys/auth/k")
    s.get("sys/auth/k/tune")
    s.post("sys/auth/k", {"type": "kubernetes"})
    s.post("sys/auth/k/sub", {"type": "kubernetes"})
    s.post("sys/auth/token", {"type": "kubernetes"})
    s.post("sys/auth/token/x", {"type": "kubernetes"})
    for data in ({"type": "kv"}, {"type": "token"}, {"type": "nope"}, {}, {"type": "kubernetes", "config": {"token_type": "x"}},
                 {"type": "ns_token"}, {"type": "kubernetes", "plugin_version": "v9.9.9"}, {"type": "kubernetes", "config": "x"},
                 {"type": "kubernetes", "config": {"default_lease_ttl": "x"}}, {"type": "kubernetes", "config": {"listing_visibility": "x"}}):
        s.post("sys/auth/bad", data)
    for token_type in ("default-service", "service", "default-batch", "batch", "Batch", "", None):
        s.post("sys/auth/t", {"type": "kubernetes", "config": {"token_type": token_type}})
        s.get("sys/auth/t")
        s.delete("sys/auth/t")
    s.post("sys/auth/n", {"type": "kubernetes", "options": None})
    s.get("sys/auth/n")
    s.post("sys/auth/all", {"type": "kubernetes", "local": True, "seal_wrap": True, "external_entropy_access": True, "config": {
        "default_lease_ttl": "30m", "max_lease_ttl": "2h", "listing_visibility": "unauth", "audit_non_hmac_request_keys": ["a"],
        "audit_non_hmac_response_keys": ["c"], "passthrough_request_headers": ["X-A"], "allowed_response_headers": ["X-B"],
        "user_lockout_config": {"lockout_threshold": "7", "lockout_duration": "10m"}}})
    state(s, "auth/all")
    s.get("sys/auth")
    s.delete("sys/auth/token")
    s.delete("sys/auth/nope")
    s.delete("sys/auth/k")
    s.get("sys/auth/k")
    s.delete("sys/auth/all/")
    s.post("sys/auth/sys", {"type": "kubernetes"})
    s.post("sys/auth/sys/x", {"type": "kubernetes"})
    s.delete("sys/auth/sys")
    s.delete("sys/auth/k/tune")
    s.get("sys/auth")


# --- tune


@case("tune: each field of a secret engine")
def _(s):
    fresh(s)
    s.post("sys/mounts/kv", {"type": "kv-v2"})
    for data in ({"default_lease_ttl": "1h"}, {"max_lease_ttl": "2h"}, {"default_lease_ttl": "3h"}, {"max_lease_ttl": "30m"},
                 {"default_lease_ttl": "system"}, {"max_lease_ttl": ""}, {"max_lease_ttl": "system", "default_lease_ttl": 60},
                 {"max_lease_ttl": "9999h"}, {"default_lease_ttl": "9999h"}, {"default_lease_ttl": "x"},
                 {"default_lease_ttl": None}, {"description": "new"}, {"description": ""}, {"description": None}, {"description": 5},
                 {"listing_visibility": "unauth"}, {"listing_visibility": "hidden"}, {"listing_visibility": ""},
                 {"listing_visibility": "public"}, {"token_type": "service"}, {"force_no_cache": True}, {"unknown": "x"}, {},
                 {"plugin_version": "v1.2.3"}, {"plugin_version": "nonsense"}, {"plugin_version": ""}, {"identity_token_key": "default"},
                 {"identity_token_key": "nope"}, {"identity_token_key": ""}, {"trim_request_trailing_slashes": True},
                 {"trim_request_trailing_slashes": False}, {"trim_request_trailing_slashes": "x"},
                 {"user_lockout_config": {"lockout_threshold": "3"}},
                 {"override_pinned_version": True}):
        s.post("sys/mounts/kv/tune", data)
        s.get("sys/mounts/kv/tune")
    with s.differs("negative-times"):
        s.post("sys/mounts/kv/tune", {"default_lease_ttl": -1})
    s.post("sys/mounts/kv/tune", {"default_lease_ttl": "1h"})
    s.get("sys/mounts/kv")


@case("mounts: versions of plugins")
def _(s):
    fresh(s)
    s.post("sys/mounts/kv", {"type": "kv"})
    for version in ("x", "", "1", "v1.2", "v1.2.3-rc1", "v1.2.3+ent", None, 5):
        s.post("sys/auth/a", {"type": "kubernetes", "config": {"plugin_version": version}})
        s.delete("sys/auth/a")
        s.post("sys/mounts/a", {"type": "kv", "config": {"plugin_version": version}})
        s.delete("sys/mounts/a")
        s.post("sys/mounts/kv/tune", {"plugin_version": version})
    for path in ("mounts/kv", "auth/token"):
        s.post(f"sys/{path}/tune", {"plugin_version": s.get(f"sys/{path}")["data"]["running_plugin_version"]})
        s.get(f"sys/{path}")
        s.get(f"sys/{path}/tune")


@case("tune: lists")
def _(s):
    fresh(s)
    s.post("sys/mounts/kv", {"type": "kv-v2"})
    for name in LISTS:
        for value in (["a", "b"], "c,d", "", None, [], ["x", "x", " y "], {"a": "b"}, 5, True):
            s.post("sys/mounts/kv/tune", {name: value})
            s.get("sys/mounts/kv/tune")
        s.get("sys/mounts/kv")


@case("tune: options")
def _(s):
    fresh(s)
    s.post("sys/mounts/kv", {"type": "kv-v2"})
    for options in ({"version": "1"}, {"version": "2"}, {"version": 2}, {"version": "3"}, {}, None, {"a": "b"}, {"a": ""}, "x", ["x"]):
        s.post("sys/mounts/kv/tune", {"options": options})
        s.get("sys/mounts/kv/tune")
    s.get("sys/mounts/kv")
    s.post("sys/mounts/up", {"type": "kv-v1"})
    s.post("sys/mounts/up/tune", {"options": {"version": "2"}, "type": "kv", "local": True, "config": {}, "other": 1, "path": "x"})
    state(s, "up")


@case("tune: an auth method")
def _(s):
    fresh(s)
    s.post("sys/auth/k", {"type": "kubernetes"})
    for data in ({"default_lease_ttl": "10m", "max_lease_ttl": "30m", "description": "new", "token_type": "service"},
                 {"token_type": "default-batch"}, {"token_type": "batch"}, {"token_type": "default-service"}, {"token_type": "x"}, {"token_type": ""}, {"token_type": None},
                 {"listing_visibility": "unauth"}, {"user_lockout_config": {"lockout_threshold": "3"}},
                 {"user_lockout_config": {"lockout_threshold": 5, "lockout_duration": "10m", "lockout_counter_reset_duration": 60,
                                          "lockout_disable": True}},
                 {"user_lockout_config": {"lockout_threshold": "x"}}, {"user_lockout_config": {"lockout_duration": "x"}},
                 {"user_lockout_config": {"lockout_disable": "x"}}, {"user_lockout_config": "x"}, {"user_lockout_config": {}},
                 {"user_lockout_config": {"unknown": 1}},
                 {"allowed_response_headers": ["X-A"], "passthrough_request_headers": ["X-B"]}, {"options": {"a": "b"}},
                 {"plugin_version": "v9.9.9"}):
        s.post("sys/auth/k/tune", data)
        s.get("sys/auth/k/tune")
        s.get("sys/mounts/auth/k/tune")
    s.post("sys/mounts/auth/k/tune", {"description": "by the other path"})
    s.get("sys/auth/k")
    s.post("sys/auth/token/tune", {"description": "tokens", "default_lease_ttl": "24h"})
    s.get("sys/auth/token")
    s.get("sys/auth/token/tune")
    s.post("sys/auth/token/tune", {"token_type": "service"})
    s.post("sys/auth/token/tune", {"user_lockout_config": {"lockout_threshold": "3"}})
    s.post("sys/auth/token/tune", {"description": "token based credentials", "default_lease_ttl": "system"})


@case("tune: what cannot be tuned")
def _(s):
    fresh(s)
    for path in ("nope", "sys", "cubbyhole", "identity", "auth/nope", "sys/x", "secret/x", "auth"):
        s.post(f"sys/mounts/{path}/tune", {"description": "x"})
    s.post("sys/auth/nope/tune", {"description": "x"})
    s.post("sys/mounts/tune", {"description": "x"})
    s.get("sys/mounts/tune")
    s.list("sys/mounts/secret/tune")
    s.get("sys/mounts/identity")


# --- moving


def move(s, source, target, **more):
    reply = s.post("sys/remount", {"from": source, "to": target}, **more)
    if s.wait_moved(reply):
        s.get("sys/remount/status/" + reply["data"]["migration_id"])


@case("fields: of the wrong type, and something else is wrong as well")
def _(s):
    with s.differs("field-faults", "body.errors*"):
        for path, body in (("sys/mounts/nope/tune", {"description": []}), ("sys/auth/nope/tune", {"options": "x"}), ("sys/tools/random/many", {"bytes": " "})):
            s.post(path, body)
    with s.differs("field-faults"):
        s.post("sys/capabilities", {"paths": [["a"]]})


@case("remount: a secret engine with its data")
def _(s):
    fresh(s)
    s.post("sys/mounts/from", {"type": "kv-v2", "description": "d", "config": {"max_lease_ttl": "1h"}})
    s.post("from/data/x", {"data": {"a": "1"}})
    s.get("sys/mounts/from")
    move(s, "from", "to/deep")
    s.get("sys/mounts/from")
    s.get("sys/mounts/to/deep")
    s.get("from/data/x")
    s.get("to/deep/data/x")
    s.get("sys/internal/ui/mounts/to/deep/data/x")
    move(s, "to/deep/", "/from/")
    s.get("sys/mounts/from")
    s.get("from/data/x")
    s.put("from/data/y", {"data": {"a": "2"}})
    move(s, "from/", "from2/")
    s.get("from2/data/y")


@case("remount: an auth method")
def _(s):
    fresh(s)
    s.post("sys/auth/k", {"type": "kubernetes"})
    s.post("auth/k/config", {"kubernetes_host": "https://127.0.0.1:1", "disable_local_ca_jwt": True})
    s.post("auth/k/role/r", {"bound_service_account_names": "a", "bound_service_account_namespaces": "b", "policies": "p"})
    s.get("sys/auth/k")
    move(s, "auth/k", "auth/k2")
    s.get("sys/auth/k")
    s.get("sys/auth/k2")
    s.get("auth/k2/role/r")
    s.get("auth/k/role/r")
    s.get("auth/k2/config")
    move(s, "auth/k2", "k3")
    move(s, "secret", "auth/k3")
    move(s, "auth/k2", "auth/token/x")
    move(s, "auth/k2", "auth/token")
    move(s, "auth/k2", "auth/")
    s.delete("sys/auth/k2")


@case("remount: what logins gave under the old path ends")
def _(s):
    fresh(s)
    token = policy(s, "mover", 'path "auth/token/*" { capabilities = ["read", "update"] }')
    s.post("auth/pods/role/batch", {"bound_service_account_names": "webapp-sa", "bound_service_account_namespaces": "webapp-ns",
                                    "token_policies": ["mover"], "audience": "vault", "token_type": "batch"})
    batch = s.post("auth/pods/login", {"role": "batch", "jwt": jwt(jti=str(uuid.uuid4()))}, token=None)["auth"]["client_token"]
    child = s.post("auth/token/create", {"policies": ["mover"]}, token=token)["auth"]["client_token"]
    for each in (token, child, batch):
        s.get("auth/token/lookup-self", token=each)
    move(s, "auth/pods", "auth/others")
    for each in (token, child):
        s.get("auth/token/lookup-self", token=each)
    again = s.post("auth/others/login", {"role": "mover", "jwt": jwt(jti=str(uuid.uuid4()))}, token=None)["auth"]["client_token"]
    s.get("auth/token/lookup-self", token=again)
    move(s, "auth/others", "auth/pods")
    for each in (token, child, again):
        s.get("auth/token/lookup-self", token=each)
    s.post("auth/pods/login", {"role": "mover", "jwt": jwt(jti=str(uuid.uuid4()))}, token=None)
    with s.differs("moved-batch-tokens"):
        s.get("auth/token/lookup-self", token=batch)


@case("remount: what is refused")
def _(s):
    fresh(s)
    s.post("sys/mounts/one", {"type": "kv-v1"})
    s.post("sys/mounts/two", {"type": "kv-v1"})
    for data in ({}, {"from": "one"}, {"to": "three"}, {"from": "", "to": "x"}, {"from": "one", "to": ""}, {"from": 5, "to": "x"},
                 {"from": ["one"], "to": "x"}):
        s.post("sys/remount", data)
    for source, target in (("one", "two"), ("one", "one"), ("one", "two/x"), ("one", "one/x"), ("nope", "x"), ("sys", "x"), ("one", "sys"),
                           ("one", "sys/x"), ("cubbyhole", "x"), ("identity", "x"), ("one", "identity/x"), ("one", "cubbyhole/"), ("one", "auth/x"),
                           ("one", "audit/x"), ("auth/token", "auth/x"), ("auth/token", "x"), ("one ", "x"), ("one", "x "), (" one", "x"),
                           ("one", "a/../b"), ("one", "./a"), ("one", "a//b"), ("one", "x\ty"), ("one\t", "x"),
                           ("auth/nope", "auth/x"), ("auth", "x"), ("/", "x"), ("one", "/"), ("two/", "//three//"), ("two/", "/three"),
                           ("one", "a b"), ("a b", "k\u00e4se")):
        move(s, source, target)
    s.get("sys/remount")
    s.delete("sys/remount")
    s.get("sys/remount/status/nope")
    s.get("sys/remount/status/8d2d8f5c-8a3e-4d0e-9c1d-1f2e3a4b5c6d")
    s.get("sys/remount/status")
    s.get("sys/mounts")
    with s.differs("remount-checks"):
        s.post("sys/remount", {"from": "three/sub", "to": "x"})
        s.wait_moved(s.post("sys/remount", {"from": "three/", "to": "../x"}))
        s.wait_moved(s.post("sys/remount", {"from": "../x", "to": "three"}))


# --- what the UI and clients ask


@case("internal/ui: mounts")
def _(s):
    fresh(s)
    s.get("sys/internal/ui/mounts")
    s.get("sys/internal/ui/mounts", token=None)
    s.get("sys/internal/ui/mounts", token="hvs.nope")
    s.get("sys/internal/ui/mounts/secret")
    s.get("sys/internal/ui/mounts/secret/")
    s.get("sys/internal/ui/mounts/secret/data/x")
    s.get("sys/internal/ui/mounts/secret", token=None)
    s.get("sys/internal/ui/mounts/nope")
    s.get("sys/internal/ui/mounts/nope", token=None)
    s.get("sys/internal/ui/mounts/auth/token")
    s.get("sys/internal/ui/mounts/auth/token/create")
    s.get("sys/internal/ui/mounts/sys")
    s.get("sys/internal/ui/mounts/cubbyhole")
    s.get("sys/internal/ui/mounts/identity")
    s.post("sys/mounts/open", {"type": "kv-v1", "description": "seen", "config": {"listing_visibility": "unauth"}})
    s.post("sys/mounts/hidden", {"type": "kv-v1", "config": {"listing_visibility": "hidden"}})
    s.post("sys/auth/open", {"type": "kubernetes", "config": {"listing_visibility": "unauth"}})
    s.get("sys/internal/ui/mounts", token=None)
    s.get("sys/internal/ui/mounts/open", token=None)
    s.get("sys/internal/ui/mounts")
    s.get("sys/internal/ui/mounts/hidden")
    some = policy(s, "some", 'path "secret/data/*" { capabilities = ["read"] }\npath "hidden/x" { capabilities = ["deny"] }')
    s.get("sys/internal/ui/mounts", token=some)
    for path in ("secret", "secret/data/x", "hidden", "open", "open/x", "nope", "auth/open", "sys", "cubbyhole"):
        s.get(f"sys/internal/ui/mounts/{path}", token=some)
    s.post("sys/mounts/open/tune", {"listing_visibility": "hidden"})
    s.get("sys/internal/ui/mounts", token=None)
    s.post("sys/internal/ui/mounts", {})
    s.delete("sys/internal/ui/mounts/secret")


@case("internal/ui: resultant-acl, namespaces, version and the rest")
def _(s):
    fresh(s)
    s.get("sys/internal/ui/resultant-acl")
    s.get("sys/internal/ui/resultant-acl", token=None)
    some = policy(s, "acl", 'path "secret/data/*" { capabilities = ["read", "list"] }\npath "a/+/b" { capabilities = ["update"] }\n'
                  'path "exact" { capabilities = ["create", "sudo"] }\npath "no" { capabilities = ["deny"] }\n'
                  'path "sys/internal/ui/*" { capabilities = ["read"] }\n'
                  'path "par" { capabilities = ["update"] allowed_parameters = { "a" = ["b", 1, true], "*" = [] } denied_parameters = { "D" = [] } '
                  'required_parameters = ["z", "y"] min_wrapping_ttl = "1m" max_wrapping_ttl = "2h" }\n'
                  'path "all" { capabilities = ["create", "read", "update", "patch", "delete", "list", "sudo", "subscribe", "recover"] }\n'
                  'path "both" { capabilities = ["deny", "read"] }\npath "none" { capabilities = [] }')
    s.get("sys/internal/ui/resultant-acl", token=some)
    s.post("sys/internal/ui/resultant-acl", {})
    for path in ("namespaces", "version"):
        s.get(f"sys/internal/ui/{path}")
        s.get(f"sys/internal/ui/{path}", token=None)
        s.get(f"sys/internal/ui/{path}", token=some)
    with s.differs("sys-paths"):
        for path in ("feature-flags", "unauthenticated-messages", "authenticated-messages"):
            s.get(f"sys/internal/ui/{path}")
    s.get("sys/internal/ui/nope")
    s.get("sys/internal/ui")


# --- status


@case("status: health with all its parameters")
def _(s):
    fresh(s)
    s.get("sys/health", token=None)
    s.request("HEAD", "sys/health", token=None)
    for query in ({"activecode": "299"}, {"activecode": "x"}, {"standbyok": "true"}, {"standbyok": "x"}, {"perfstandbyok": "1"}, {"sealedcode": "x"},
                  {"uninitcode": "299"}, {"standbycode": "429"}, {"drsecondarycode": "472"}, {"performancestandbycode": "473"},
                  {"performancestandbycode": "x"}, {"haunhealthycode": "474"}, {"haunhealthycode": "x"}, {"removedcode": "530"},
                  {"foo": "1"}, {"activecode": ""}):
        s.get("sys/health", query, token=None)
    with s.differs("health-codes"):
        for code in ("99", "700", "1000", "-1"):
            health_code(s, code)
    s.post("sys/health", {}, token=None)
    s.delete("sys/health")
    s.list("sys/health")
    s.get("sys/health/")
    s.get("sys/health/x")


def health_code(s, code):
    """Vault may drop the connection."""
    try:
        s.get("sys/health", {"activecode": code}, token=None)
    except (OSError, http.client.HTTPException) as error:
        s.record(f"GET sys/health?activecode={code}", Reply(0, {}, type(error).__name__.encode()))


def build_date(s):
    return s.differs("version", ("body.build_date", "body.data.key_info.*.build_date"))


def key_status(s, **more):
    """How much was sealed depends on everything before."""
    s.get("sys/key-status", **more)
    body = s.records[-1][1]["body"]
    for part in (body, body["data"]):
        part["encryptions"] = part["encryptions"] > 0


@case("status: seal-status, leader, init, ha-status, key-status and the rest")
def _(s):
    fresh(s)
    for path in ("seal-status", "seal-backend-status", "leader", "init", "version-history", "replication/status"):
        with build_date(s) if path == "seal-status" else contextlib.nullcontext():
            s.get(f"sys/{path}")
            s.get(f"sys/{path}", token=None)
    with s.differs("ha-addresses", ("body.nodes*", "body.data.nodes*")):
        s.get("sys/ha-status")
    s.get("sys/ha-status", token=None)
    s.get("sys/key-status", token=None)
    key_status(s)
    with s.differs("sys-paths"):
        for path in ("internal/counters/config", "license/status", "host-info"):
            s.get(f"sys/{path}")
    for path in ("rekey/init", "generate-root/attempt"):
        s.get(f"sys/{path}")
    for path in ("seal-status", "seal-backend-status", "leader", "ha-status", "key-status", "version-history"):
        s.post(f"sys/{path}", {})
        s.delete(f"sys/{path}")
        with build_date(s) if path == "version-history" else contextlib.nullcontext():
            s.list(f"sys/{path}")
        s.request("HEAD", f"sys/{path}")
    s.get("sys/version-history/")
    s.get("sys/")
    s.get("sys/nope")
    s.list("sys/nope")
    s.post("sys/nope", {})
    s.get("sys/nope", token=None)


# --- tools


@case("tools: hash")
def _(s):
    fresh(s)
    for path in ("hash", "hash/sha2-512", "hash/nope"):
        s.post(f"sys/tools/{path}", {"input": "aGVsbG8="})
    for algorithm in ("sha2-224", "sha2-256", "sha2-384", "sha2-512", "sha3-224", "sha3-256", "sha3-384", "sha3-512", "md5", "sha1", ""):
        s.post("sys/tools/hash", {"input": "aGVsbG8=", "algorithm": algorithm})
    s.post("sys/tools/hash/sha2-384", {"input": "aGVsbG8=", "algorithm": "sha2-512"})
    for form in ("hex", "base64", "x", ""):
        s.post("sys/tools/hash", {"input": "aGVsbG8=", "format": form})
    for text in ("", "%", "aGVsbG8", "aGVsbG8==", "aGVs bG8=", "aGVs\nbG8=", "-_", "a", "aa==a", "aGVsbG9=", None, 5, ["x"]):
        s.post("sys/tools/hash", {"input": text})
    s.post("sys/tools/hash", {})
    s.post("sys/tools/hash", {"input": "aGVsbG8=", "other": 1})
    s.get("sys/tools/hash")
    s.put("sys/tools/hash", {"input": "aGVsbG8="})
    s.post("sys/tools/hash/a/b", {"input": "aGVsbG8="})
    s.delete("sys/tools/hash")


def random(s, path, data):
    """Only the length of what comes is compared."""
    reply = s.post(f"sys/tools/{path}", data)
    if reply.status == 200:
        said = s.records[-1][1]
        said["body"]["data"]["random_bytes"] = len(reply["data"]["random_bytes"])


@case("tools: random")
def _(s):
    fresh(s)
    for path in ("random", "random/8", "random/platform", "random/seal", "random/all", "random/platform/8", "random/seal/8", "random/8/platform",
                 "random/0", "random/nope", "random/nope/8", "random/platform/x", "random/platform/0", "random/131072", "random/131073"):
        random(s, path, {})
    for data in ({"bytes": 4}, {"bytes": "4"}, {"bytes": 0}, {"bytes": -1}, {"bytes": "x"}, {"bytes": 131072}, {"bytes": 131073}, {"format": "hex"},
                 {"format": "base64"}, {"format": "x"}, {"format": "hex", "bytes": 1}, {"source": "x"}, {"source": "platform"}, {"source": "all"},
                 {"source": "seal"}, {"source": ""}):
        random(s, "random", data)
    random(s, "random/8", {"bytes": 4})
    s.get("sys/tools/random")


# --- the plugin catalogue


@case("plugins: the catalogue")
def _(s):
    fresh(s)
    with s.differs("other-engines", "body.data.*"):
        s.get("sys/plugins/catalog")
        for kind in ("auth", "secret", "database"):
            s.list(f"sys/plugins/catalog/{kind}")
    with s.differs("other-engines"):
        s.get("sys/plugins/catalog/secret/kubernetes")
    s.list("sys/plugins/catalog")
    for kind in ("auth", "secret", "database", "nope", "unknown"):
        s.get(f"sys/plugins/catalog/{kind}")
    for kind in ("nope", "unknown"):
        s.list(f"sys/plugins/catalog/{kind}")
    for name in ("auth/kubernetes", "secret/kv", "auth/nope", "nope/kv", "auth/token", "kv", "secret/kv/x"):
        s.get(f"sys/plugins/catalog/{name}")
    s.get("sys/plugins/catalog/auth/kubernetes", {"version": "v9.9.9"})
    s.get("sys/plugins/pins")
    s.list("sys/plugins/pins")
    s.list("sys/plugins/runtimes/catalog")
    s.get("sys/plugins/runtimes/catalog")


# --- who may


@case("sudo: paths that need it besides")
def _(s):
    fresh(s)
    plain = policy(s, "plain", 'path "sys/*" { capabilities = ["create", "read", "update", "delete", "list", "patch"] }')
    full = policy(s, "full", 'path "sys/*" { capabilities = ["create", "read", "update", "delete", "list", "patch", "sudo"] }')
    paths = ("auth", "auth/token", "auth/token/tune", "mounts", "mounts/secret", "mounts/secret/tune", "mounts/auth/token/tune", "remount",
             "remount/status/x", "policies/acl", "policies/acl/plain", "policy", "version-history", "internal/ui/resultant-acl",
             "plugins/catalog/auth", "plugins/catalog/auth/kubernetes", "plugins/pins", "tools/hash")
    for path in paths:
        for token in (plain, full):
            s.get(f"sys/{path}", token=token)
    for token in (plain, full):
        key_status(s, token=token)
        with s.differs("ha-addresses", ("body.nodes*", "body.data.nodes*")):
            s.get("sys/ha-status", token=token)
    with s.differs("other-engines", "body.data.*"):
        s.get("sys/plugins/catalog", token=plain)
        s.get("sys/plugins/catalog/", token=full)
        s.list("sys/plugins/catalog/auth", token=full)
    s.get("sys/plugins/catalog/", token=plain)
    s.list("sys/plugins/catalog/auth", token=plain)
    for token in (plain, full):
        for method in "LIST", "GET":
            s.request(method, "sys/plugins/runtimes/catalog", token=token)
            s.request(method, "sys/plugins/runtimes/catalog/", token=token)
    for token in (plain, full):
        s.post("sys/auth/sudo", {"type": "kubernetes"}, token=token)
        s.post("sys/auth/sudo/tune", {"description": "x"}, token=token)
        s.post("sys/mounts/auth/sudo/tune", {"description": "x"}, token=token)
        s.delete("sys/auth/sudo", token=token)
        s.post("sys/mounts/sudo", {"type": "kv"}, token=token)
        s.post("sys/mounts/sudo/tune", {"description": "x"}, token=token)
        move(s, "sudo", "sudo2", token=token)
        move(s, "sudo2", "sudo", token=token)
        s.delete("sys/mounts/sudo", token=token)
        s.post("sys/tools/hash", {"input": "aGVsbG8="}, token=token)
    nothing = policy(s, "nothing", 'path "x" { capabilities = ["read"] }')
    for path in paths:
        s.get(f"sys/{path}", token=nothing)
        s.get(f"sys/{path}", token=None)


# --- help


def help_of(s, path, there=True, **more):
    """The texts are each server's own; what else the answer has is compared. THERE: it is one with a text."""
    if not there:
        return s.get(path, {"help": "1"}, **more)
    with s.differs("help-texts", ("body.help", "body.openapi*")):
        reply = s.get(path, {"help": "1"}, **more)
        assert reply["help"].strip(), path


@case("help: paths of every engine")
def _(s):
    fresh(s)
    s.post("sys/auth/k", {"type": "kubernetes"})
    for path in ("sys", "sys/", "sys/mounts", "sys/mounts/x", "sys/mounts/x/tune", "sys/auth/x", "sys/policies/acl/x", "sys/remount",
                 "secret", "secret/", "secret/data/x", "secret/config", "secret/metadata/", "secret/metadata/x", "auth/token", "auth/token/", "auth/token/renew",
                 "auth/k", "auth/k/login", "auth/k/config", "auth/k/role", "auth/k/role/x", "sys/health", "sys/seal-status", "sys/init",
                 "sys/internal/ui/mounts", "sys/tools/hash", "sys/capabilities-self", "cubbyhole/x", "identity/entity/id/x"):
        help_of(s, path)
    for path in ("sys/nope", "sys/nope/x", "auth/k/nope", "nope", "nope/x", "auth/nope/x"):
        help_of(s, path, there=False)
    with s.differs("help-token", "body.id"):
        help_of(s, "auth/token/lookup-self")
    some = policy(s, "h", 'path "secret/*" { capabilities = ["read"] }')
    for path in ("sys/mounts", "secret/data/x", "secret/config", "secret/", "auth/k/role/x", "sys/auth/x", "nope/x", "sys/nope"):
        help_of(s, path, there="nope" not in path, token=some)
        help_of(s, path, there=False, token=None)
        help_of(s, path, there=False, token="hvs.nope")
    help_of(s, "auth/k/login", token=None)
    s.request("HELP", "sys/nope")
    with s.differs("help-texts", ("body.help", "body.openapi*")):
        s.request("HELP", "sys")
        s.get("sys/mounts", {"help": "0"})
    s.post("sys/mounts?help=", {})
    s.get("sys/tools/hash?help=")


@case("initialising once more")
def _(s):
    s.get("sys/init", token=None)
    with s.differs("init-over-tcp"):
        for body in ({}, {"secret_shares": 1, "secret_threshold": 1}):
            s.put("sys/init", body, token=None)
            s.post("sys/init", body)


@case("metrics")
def _(s):
    for token in ("root", None):  # a development server gives them to everybody
        s.get("sys/metrics", {"format": "other"}, token=token)
        with s.differs("metrics", "body*"):
            s.get("sys/metrics", token=token)
        with s.differs("metrics", "body*"):
            s.get("sys/metrics", {"format": "prometheus"}, token=token)
    s.post("sys/metrics", {})
    s.list("sys/metrics")
    s.request("HEAD", "sys/metrics")
    s.delete("sys/metrics")
    s.get("sys/metrics/")
    s.get("sys/metrics/x")


@case("OpenAPI")
def _(s):
    path = "sys/internal/specs/openapi"
    with s.differs("openapi", "body.*"):
        s.get(path)
    with s.differs("openapi", "body.*"):
        s.post(path, {})
    with s.differs("openapi", "body.*"):
        s.get(path, token=None)
    s.get(path, token="bad")
    s.list(path)
    s.delete(path)
    s.get(path + "/x")
