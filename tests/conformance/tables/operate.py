# SPDX-License-Identifier: Apache-2.0
"""What operators look at and set while a server runs: its log's level, requests in progress, its configuration, how much there is; and
the form that a new root token comes in."""
import uuid

from fakeapi import jwt
from play import case

MINIMUM = 70


def in_flight(s, **more):
    """What the one request in progress says of itself. Its port is nobody's twice, so it is not compared as it is."""
    reply = s.get("sys/in-flight-req", **more)
    del s.records[-1]
    (key, found), = reply.json.items()
    uuid.UUID(key)
    return found


@case("the log's level")
def _(s):
    with s.differs("loggers", at="body.data*"):
        s.get("sys/loggers")
    one = "k8sauth" if s.name == "k8sauthd" else "core"
    for level in ("trace", "debug", "notice", "info", "", " ", "warn", "warning", "err", "error", " ERROR ", "Debug", "nope", "fatal", "5", 5, [], {}, None, True):
        s.post("sys/loggers", {"level": level})
        with s.differs("loggers", at="body.data*"):
            s.get(f"sys/loggers/{one}")
    for body in ({}, {"level": "debug", "other": 1}, {"Level": "debug"}):
        s.post("sys/loggers", body)
    s.delete("sys/loggers")
    for name in ("nope", "CORE", "a/b", ""):
        s.get(f"sys/loggers/{name}")
        s.post(f"sys/loggers/{name}", {"level": "debug"})
        s.post(f"sys/loggers/{name}", {"level": "nope"})
        s.post(f"sys/loggers/{name}", {})
        s.delete(f"sys/loggers/{name}")
    s.list("sys/loggers")
    s.list("sys/loggers/nope")
    s.get("sys/loggers", token=None)


@case("the log's level, of one logger")
def _(s):
    one = "k8sauth" if s.name == "k8sauthd" else "core"
    for level in ("debug", "warn"):
        s.post(f"sys/loggers/{one}", {"level": level})
        s.note("level", list(s.get(f"sys/loggers/{one}")["data"].values()))
        del s.records[-2]
    s.delete(f"sys/loggers/{one}")
    with s.differs("loggers", at="body.data*"):
        s.get(f"sys/loggers/{one}")


@case("requests in progress")
def _(s):
    found = in_flight(s)
    assert set(found) == {"client_id", "client_remote_address", "request_path", "request_method", "start_time"}, found
    assert (found["request_path"], found["request_method"]) == ("/v1/sys/in-flight-req", "GET"), found
    assert found["client_remote_address"].startswith("127.0.0.1:"), found
    s.note("who", found["client_id"])
    s.get("sys/in-flight-req/")
    s.get("sys/in-flight-req", token=None)
    s.post("sys/in-flight-req", {})
    s.list("sys/in-flight-req")


@case("how it was started")
def _(s):
    with s.differs("sanitized-config", at="body.data*"):
        found = s.get("sys/config/state/sanitized")["data"]
    listener, = found["listeners"]
    s.note("listener", (listener["type"], listener["config"]["address"].rpartition(":")[0], found["storage"]["type"]))
    s.get("sys/config/state/sanitized", token=None)
    s.post("sys/config/state/sanitized", {})
    s.delete("sys/config/state/sanitized")


@case("how many entities there are")
def _(s):
    s.get("sys/internal/counters/entities")
    for name in ("one", "two"):
        s.post("identity/entity", {"name": name})
    s.get("sys/internal/counters/entities")
    s.delete("identity/entity/name/one")
    s.get("sys/internal/counters/entities")
    s.get("sys/internal/counters/entities", token=None)
    s.post("sys/internal/counters/entities", {})
    s.get("sys/internal/counters/tokens")


@case("who counts as one client")
def _(s):
    s.post("sys/auth/pods", {"type": "kubernetes"})
    s.post("auth/pods/config", {"kubernetes_host": s.api.host, "kubernetes_ca_cert": s.api.ca, "token_reviewer_jwt": "reviewer"})
    s.put("sys/policies/acl/one", {"policy": 'path "secret/*" { capabilities = ["create", "update", "read"] }\npath "sys/in-flight-req" { capabilities = ["read"] }'})
    s.post("auth/pods/role/one", {"bound_service_account_names": "webapp-sa", "bound_service_account_namespaces": "webapp-ns", "token_policies": ["one"], "audience": "vault"})
    auth = s.post("auth/pods/login", {"role": "one", "jwt": jwt(jti=str(uuid.uuid4()))}, token=None)["auth"]
    plain = s.post("auth/token/create", {"policies": ["one"], "no_parent": True})["auth"]
    for one, client in ((auth, auth["entity_id"]), (plain, None)):
        s.post("secret/data/mine", {"data": {"a": 1}}, token=one["client_token"])
        by = s.get("secret/metadata/mine")["data"]["last_updated_by"]["client_id"]
        found = in_flight(s, token=one["client_token"])
        assert by == found["client_id"], (by, found)
        s.note("whose", by == client if client else by)
    s.delete("secret/metadata/mine")


@case("a root token's hidden form")
def _(s):
    path = "sys/decode-token"
    for token in (None, "root"):
        for body in ({}, {"otp": "ab"}, {"encoded_token": "aaaa"}, {"encoded_token": "aaaa", "otp": ""}, {"encoded_token": "a", "otp": ""}, {"encoded_token": "AA==", "otp": ""},
                     {"encoded_token": "aaaa", "otp": "ab"}, {"encoded_token": "a", "otp": "ab"}, {"encoded_token": "a-a", "otp": "ab"}, {"encoded_token": "aaaa=", "otp": "abc"},
                     {"encoded_token": "FBEUBg", "otp": "abcd"}, {"encoded_token": "FBEU\r\nBg\n", "otp": "abcd"}, {"encoded_token": "FBEUBh", "otp": "abcd"}, {"encoded_token": "FBEUBg==", "otp": "abcd"},
                     {"encoded_token": "Fw", "otp": "x", "other": 1}, {"encoded_token": [], "otp": "x"}, {"encoded_token": "Fw", "otp": 5}, {"encoded_token": None, "otp": None}):
            s.post(path, body, token=token)
    with s.differs("json-text", at=["status", "body*"]):
        s.post(path, {"encoded_token": "aaaa", "otp": "abc"})
    s.put(path, {"encoded_token": "FBEUBg", "otp": "abcd"}, headers={"X-Vault-Wrap-TTL": "1m"})
    s.get(path)
    s.list(path)
    s.post(path + "/x", {})
