# SPDX-License-Identifier: Apache-2.0
"""Response wrapping: what is wrapped, the wrapping token, unwrap, lookup, rewrap, wrap."""
import base64
import json

from fakeapi import jwt
from play import case

MINIMUM = 270
SECRET = {"data": {"password": "hunter2", "n": 7}}


def wrapped(s, method="GET", path="secret/data/a", data=None, ttl="60s", token="root", **headers):
    return s.request(method, path, data, token=token, headers={"X-Vault-Wrap-TTL": ttl} | headers)


def inner(reply):
    return reply["wrap_info"]["token"]


def policy_token(s, text):
    s.put("sys/policies/acl/wrapping", {"policy": text})
    return s.post("auth/token/create", {"policies": ["wrapping"]})["auth"]["client_token"]


@case("a read is wrapped, looked up, unwrapped once")
def _(s):
    s.post("secret/data/a", SECRET)
    token = inner(wrapped(s))
    s.post("sys/wrapping/lookup", {"token": token}, token=None)
    s.get("sys/wrapping/lookup", token=token)
    s.post("sys/wrapping/lookup", token=token)
    s.post("sys/wrapping/unwrap", token=token)
    s.post("sys/wrapping/unwrap", token=token)
    s.post("sys/wrapping/unwrap", {"token": token})
    s.post("sys/wrapping/lookup", {"token": token}, token=None)


@case("unwrap: the token in the body, in the header, in both")
def _(s):
    token = inner(wrapped(s))
    s.post("sys/wrapping/unwrap", {"token": token})
    token = inner(wrapped(s))
    s.put("sys/wrapping/unwrap", {}, token=token)
    token = inner(wrapped(s))
    s.post("sys/wrapping/unwrap", {"token": token}, token=None)
    token = inner(wrapped(s))
    s.post("sys/wrapping/unwrap", {"token": token}, token=token)
    s.post("sys/wrapping/unwrap", {"token": token}, token=token)
    default = s.post("auth/token/create", {"policies": ["default"]})["auth"]["client_token"]
    token = inner(wrapped(s))
    s.post("sys/wrapping/unwrap", {"token": token}, token=default)
    bare = s.post("auth/token/create", {"policies": ["none"], "no_default_policy": True})["auth"]["client_token"]
    token = inner(wrapped(s))
    s.post("sys/wrapping/unwrap", {"token": token}, token=bare)
    s.post("sys/wrapping/lookup", {"token": token}, token=bare)
    s.post("sys/wrapping/unwrap", {"token": token}, token="hvs.unknown")


@case("tokens that are none")
def _(s):
    for path in ("unwrap", "lookup", "rewrap"):
        s.post("sys/wrapping/" + path, {"token": "hvs.unknown"})
        s.post("sys/wrapping/" + path, {"token": ""})
        s.post("sys/wrapping/" + path, {})
        s.post("sys/wrapping/" + path, {}, token=None)
        s.post("sys/wrapping/" + path, {"token": "hvs.unknown"}, token=None)
        normal = s.post("auth/token/create", {"policies": ["default"]})["auth"]["client_token"]
        s.post("sys/wrapping/" + path, {"token": normal})
        s.post("sys/wrapping/" + path, {}, token=normal)
        s.get("auth/token/lookup-self", token=normal)


@case("rewrap")
def _(s):
    token = inner(wrapped(s, ttl="500s"))
    fresh = inner(s.post("sys/wrapping/rewrap", {"token": token}))
    s.post("sys/wrapping/unwrap", {"token": token})
    s.post("sys/wrapping/lookup", {"token": fresh})
    s.post("sys/wrapping/rewrap", token=fresh)
    s.post("sys/wrapping/unwrap", {"token": fresh})
    token = inner(wrapped(s))
    fresh = inner(s.post("sys/wrapping/rewrap", {"token": token}, headers={"X-Vault-Wrap-TTL": "300s"}))
    s.post("sys/wrapping/lookup", {"token": fresh})


@case("wrap")
def _(s):
    s.post("sys/wrapping/wrap", {"a": "b", "n": 7, "list": [1, "x", None], "deep": {"x": {"y": True}}})
    token = inner(wrapped(s, "POST", "sys/wrapping/wrap", {"a": "b", "n": 7, "list": [1, "x", None], "deep": {"x": {"y": True}}}))
    s.post("sys/wrapping/lookup", {"token": token})
    s.post("sys/wrapping/unwrap", {"token": token})
    token = inner(wrapped(s, "POST", "sys/wrapping/wrap"))
    s.post("sys/wrapping/unwrap", {"token": token})
    wrapped(s, "POST", "sys/wrapping/wrap", {"token": "mine"})
    wrapped(s, "PUT", "sys/wrapping/wrap", {"a": "b"})
    s.get("sys/wrapping/wrap")
    wrapped(s, "GET", "sys/wrapping/wrap")


@case("what is not wrapped")
def _(s):
    wrapped(s, path="secret/data/none")
    wrapped(s, path="none/x")
    wrapped(s, path="secret/data/a", token="hvs.none")
    wrapped(s, "POST", "sys/policies/acl/w", {"policy": 'path "x" { capabilities = ["read"] }'})
    wrapped(s, "DELETE", "sys/policies/acl/w")
    wrapped(s, path="sys/leader")
    wrapped(s, "POST", "sys/policies/acl/w", {"policy": "path {"})


@case("what is wrapped: lists, writes, sys, tokens")
def _(s):
    for method, path, data in (("LIST", "secret/metadata", None), ("POST", "secret/data/b", SECRET), ("GET", "sys/mounts/secret", None),
                               ("POST", "auth/token/create", {"policies": ["default"], "ttl": "1h"}), ("GET", "auth/token/lookup-self", None),
                               ("POST", "sys/capabilities-self", {"paths": ["secret/data/a"]}), ("POST", "secret/metadata/a", {"max_versions": 3})):
        reply = wrapped(s, method, path, data)
        if reply.json and reply.json.get("wrap_info"):
            s.post("sys/wrapping/lookup", {"token": inner(reply)}, token=None)
            s.post("sys/wrapping/unwrap", {"token": inner(reply)})
    s.delete("secret/metadata/b")


@case("the wrapping token itself")
def _(s):
    reply = wrapped(s)
    accessor, token = reply["wrap_info"]["accessor"], inner(reply)
    s.post("auth/token/lookup-accessor", {"accessor": accessor})
    s.post("auth/token/lookup", {"token": token})
    s.get("auth/token/lookup-self", token=token)
    s.post("auth/token/renew", {"token": token})
    s.get("secret/data/a", token=token)
    token = inner(wrapped(s))
    s.get("cubbyhole/response", token=token)
    s.get("cubbyhole/response", token=token)
    reply = wrapped(s)
    s.post("auth/token/revoke-accessor", {"accessor": reply["wrap_info"]["accessor"]})
    s.post("sys/wrapping/unwrap", {"token": inner(reply)})


@case("the requester's token is revoked: what was wrapped is still there")
def _(s):
    token = policy_token(s, 'path "secret/data/*" { capabilities = ["read"] }')
    held = inner(wrapped(s, token=token))
    s.post("auth/token/revoke-self", token=token)
    s.post("sys/wrapping/unwrap", {"token": held})


@case("TTLs")
def _(s):
    for ttl in ("60", "1h", "90m", "1d", "0", "0s", " ", "", "10000h", "-5", "-1s", "x", "1.5", "1.5h", "99999999999999999999"):
        wrapped(s, ttl=ttl)


@case("policies with wrapping TTLs")
def _(s):
    token = policy_token(s, 'path "secret/data/*" { capabilities = ["read", "update", "list"]  min_wrapping_ttl = "30s"  max_wrapping_ttl = "90s" }')
    for ttl in ("29s", "30s", "60s", "90s", "91s"):
        wrapped(s, ttl=ttl, token=token)
    s.get("secret/data/a", token=token)
    token = policy_token(s, 'path "secret/data/*" { capabilities = ["read"]  max_wrapping_ttl = "90" }')
    wrapped(s, ttl="90s", token=token)
    wrapped(s, ttl="2m", token=token)
    s.get("secret/data/a", token=token)
    for ttl in "0", "0s":
        with s.differs("wrapping-of-zero"):
            wrapped(s, ttl=ttl, token=token)
    token = policy_token(s, 'path "secret/data/*" { capabilities = ["read"]  min_wrapping_ttl = 1 }')
    wrapped(s, ttl="0", token=token)
    wrapped(s, ttl="10000s", token=token)
    s.get("secret/data/a", token=token)


@case("a login is wrapped")
def _(s):
    s.post("sys/auth/kubernetes", {"type": "kubernetes"})
    s.post("auth/kubernetes/config", {"kubernetes_host": s.api.host, "kubernetes_ca_cert": s.api.ca, "token_reviewer_jwt": "reviewer"})
    s.post("auth/kubernetes/role/webapp", {"bound_service_account_names": "webapp-sa", "bound_service_account_namespaces": "webapp-ns",
                                           "policies": "webapp-policy", "audience": "vault", "ttl": "1h"})
    reply = wrapped(s, "POST", "auth/kubernetes/login", {"role": "webapp", "jwt": jwt()}, token=None)
    s.post("sys/wrapping/lookup", {"token": inner(reply)}, token=None)
    s.post("auth/token/lookup-accessor", {"accessor": reply["wrap_info"]["wrapped_accessor"]})
    unwrapped = s.post("sys/wrapping/unwrap", token=inner(reply))
    s.get("auth/token/lookup-self", token=unwrapped["auth"]["client_token"])
    wrapped(s, "POST", "auth/kubernetes/login", {"role": "other", "jwt": jwt()}, token=None)
    wrapped(s, "POST", "auth/kubernetes/login", {"role": "webapp", "jwt": "x"}, token=None)
    s.delete("sys/auth/kubernetes")


@case("other verbs and forms")
def _(s):
    for path in ("unwrap", "lookup", "rewrap", "wrap"):
        for method in ("GET", "LIST", "DELETE", "PATCH"):
            s.request(method, "sys/wrapping/" + path)
    token = inner(wrapped(s))
    s.request("POST", "sys/wrapping/unwrap", token=None, headers={"Authorization": "Bearer " + token})
    s.post("sys/wrapping/unwrap/x")
    s.get("sys/wrapping")
    token = inner(wrapped(s))
    s.post("sys/wrapping/unwrap", {"token": token}, headers={"X-Vault-Wrap-TTL": "60s"})
    s.post("sys/wrapping/lookup", {"token": token}, headers={"X-Vault-Wrap-TTL": "60s"})
    s.get("secret/data/a", headers={"X-Vault-Wrap-TTL": "60s", "X-Vault-Wrap-Format": "none"})
    token = inner(wrapped(s))
    s.get("sys/wrapping/unwrap", token=token)
    s.get("sys/wrapping/lookup", {"token": inner(wrapped(s))})
    s.get("sys/wrapping/unwrap", {"token": inner(wrapped(s))})
    for value in (5, None, ["x"], True):
        s.post("sys/wrapping/unwrap", {"token": value})
        s.post("sys/wrapping/lookup", {"token": value})


@case("the wrapping token goes where it may not")
def _(s):
    s.get("cubbyhole/wrapinfo", token=inner(wrapped(s)))
    s.list("cubbyhole", token=inner(wrapped(s)))
    s.post("auth/token/renew", {"token": inner(wrapped(s))})
    s.post("sys/capabilities", {"token": inner(wrapped(s)), "paths": ["cubbyhole/response", "sys/wrapping/unwrap", "cubbyhole/wrapinfo"]})
    s.post("cubbyhole/response", {"a": "b"}, token=inner(wrapped(s)))
    s.put("cubbyhole/other", {"a": "b"}, token=inner(wrapped(s)))


@case("the last use of a token wraps, and unwraps")
def _(s):
    once = s.post("auth/token/create", {"num_uses": 1})["auth"]["client_token"]
    s.post("sys/wrapping/unwrap", {"token": inner(wrapped(s))}, token=once)
    once = s.post("auth/token/create", {"num_uses": 1})["auth"]["client_token"]
    token = inner(wrapped(s, token=once))
    s.post("sys/wrapping/unwrap", {"token": token})
    twice = s.post("auth/token/create", {"num_uses": 2})["auth"]["client_token"]
    s.post("cubbyhole/mine", {"a": "b"}, token=twice)
    s.get("cubbyhole/mine", token=twice)
    s.get("cubbyhole/mine", token=twice)


@case("the mount of what was wrapped is disabled")
def _(s):
    s.post("sys/mounts/short", {"type": "kv"})
    s.post("short/a", {"a": "b"})
    token = inner(wrapped(s, path="short/a"))
    s.delete("sys/mounts/short")
    s.post("sys/wrapping/unwrap", {"token": token})


@case("answers that are no 200 are wrapped too, and unwrapped as they were")
def _(s):
    s.post("secret/data/gone", SECRET)
    s.post("secret/metadata/gone", {"custom_metadata": {"owner": "a"}})
    s.delete("secret/data/gone")
    for method, path, data in (
        ("GET", "secret/data/gone", None), ("GET", "secret/subkeys/gone", None), ("GET", "secret/gone", None),
        ("POST", "sys/leases/revoke-prefix/no/such", {"sync": False})):  # no tidy: Vault's may take the wrapping token with it
        token = inner(wrapped(s, method, path, data))
        s.post("sys/wrapping/lookup", {"token": token})
        s.post("sys/wrapping/unwrap", {"token": token})
        s.post("sys/wrapping/unwrap", {"token": token})
        token = inner(wrapped(s, method, path, data))
        s.post("sys/wrapping/unwrap", token=token)
        s.post("sys/wrapping/unwrap", token=token)
        token = inner(s.post("sys/wrapping/rewrap", {"token": inner(wrapped(s, method, path, data))}))
        s.post("sys/wrapping/unwrap", {"token": token}, headers={"X-Vault-Wrap-TTL": "60s"})
        s.post("sys/wrapping/unwrap", {"token": token})
    merge = {"Content-Type": "application/merge-patch+json"}
    token = inner(s.request("PATCH", "secret/data/never", headers=merge | {"X-Vault-Wrap-TTL": "60s"}, body=b'{"data": {"a": 1}}'))
    s.post("sys/wrapping/unwrap", {"token": token})
    s.post("sys/wrapping/unwrap", {"token": token})
    wrapped(s, path="secret/data/never")
    wrapped(s, "POST", "sys/policies/acl/wrapped", {"policy": 'path "a" { capabilities = ["read"] }'})


@case("nothing but a login is wrapped without a token")
def _(s):
    for path in ("sys/internal/ui/mounts", "sys/replication/status"):
        with s.differs("wrapping-without-token"):
            wrapped(s, path=path, token=None)
        s.get("sys/replication/status", token=None)
        inner(wrapped(s, path=path))
    wrapped(s, path="sys/health", token=None)


@case("tokens in the form of a JWT")
def _(s):
    def made(path="secret/data/a", **more):
        return s.get(path, headers={"X-Vault-Wrap-TTL": "60s", "X-Vault-Wrap-Format": "jwt"}, **more)["wrap_info"]["token"]

    def claims(token):
        header, payload = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in token.split(".")[:2])
        payload["jti"] = payload["jti"][:4]
        return header, {n: v for n, v in payload.items() if n != "addr"} | {n: payload[n] - payload["iat"] for n in ("exp", "nbf")} | {"iat": 0}, len(token.split(".")[2])

    s.note("what is in it", claims(made()))
    for name in ("JWT", "", "jwt ", "x"):
        token = s.get("secret/data/a", headers={"X-Vault-Wrap-TTL": "60s", "X-Vault-Wrap-Format": name})["wrap_info"]["token"]
        s.note("a JWT", token.startswith("eyJ"))
    token = made()
    for _ in range(2):
        s.post("sys/wrapping/lookup", {"token": token}, token=None)
        s.post("sys/wrapping/lookup", token=token)
    s.post("sys/wrapping/unwrap", {"token": token})
    for body in ({"token": token}, None):
        s.post("sys/wrapping/unwrap", body)
        s.post("sys/wrapping/unwrap", body, token=token)
    s.post("sys/wrapping/unwrap", token=made())
    token = made()
    with s.differs("wrap-format", "body.errors*"):
        s.post("sys/wrapping/unwrap", {"token": token}, token=token)
    s.post("sys/wrapping/rewrap", token=made())
    token = made()
    again = s.post("sys/wrapping/rewrap", {"token": token})["wrap_info"]["token"]
    s.note("a JWT again", again.startswith("eyJ"))
    s.post("sys/wrapping/unwrap", {"token": token})
    again = s.post("sys/wrapping/rewrap", {"token": again}, headers={"X-Vault-Wrap-Format": "jwt"})["wrap_info"]["token"]
    s.note("still none", again.startswith("eyJ"))
    s.post("sys/wrapping/unwrap", {"token": again})
    s.post("sys/wrapping/wrap", {"a": "b"}, headers={"X-Vault-Wrap-TTL": "60s", "X-Vault-Wrap-Format": "jwt"})
    # What this server has not signed.
    token = made()
    head, payload, signature = token.split(".")
    other = base64.urlsafe_b64encode(b'{"jti":"hvs.x"}').decode().rstrip("=")
    for bad in (f"{head}.{payload}.{signature[:-8]}AAAAAAAA", f"{head}.{other}.{signature}", f"eyJhbGciOiJub25lIn0.{payload}.", f"{head}.{payload}.{signature[:-4]}"):
        for path in ("lookup", "unwrap", "rewrap"):
            s.post("sys/wrapping/" + path, {"token": bad})
            s.post("sys/wrapping/" + path, token=bad)
    with s.differs("wrap-format"):
        s.get("auth/token/lookup-self", token=token)
        s.get("cubbyhole/response", token=token)
        s.post("auth/token/lookup", {"token": token})


@case("rewrap: no accessor of what is inside, a JWT where one is asked for")
def _(s):
    for headers in {}, {"X-Vault-Wrap-Format": "jwt"}, {"X-Vault-Wrap-Format": "jwt", "X-Vault-Wrap-TTL": "30s"}:
        token = inner(wrapped(s, "POST", "auth/token/create", {"policies": ["default"]}))
        reply = s.post("sys/wrapping/rewrap", {"token": token}, headers=headers)
        s.note("as a JWT", len(inner(reply)) > 200)
        s.post("sys/wrapping/unwrap", {"token": inner(reply)})


@case("a list of nothing says so in other words when it was to be wrapped")
def _(s):
    for path in "secret/metadata/none", "auth/token/roles", "cubbyhole", "identity/entity/id", "sys/leases/lookup/x":
        wrapped(s, "LIST", path)
        wrapped(s, "GET", path + "?list=true")
        wrapped(s, "GET", path)


@case("metrics are not wrapped")
def _(s):
    for path in "sys/metrics", "sys/metrics?format=prometheus":
        reply = wrapped(s, path=path)
        s.records.pop()
        s.note(path, [reply.status, b"wrap_info" in reply.body])


@case("a login with a batch token has no accessor to tell")
def _(s):
    s.post("sys/auth/kubernetes", {"type": "kubernetes"})
    s.post("auth/kubernetes/config", {"kubernetes_host": s.api.host, "kubernetes_ca_cert": s.api.ca, "token_reviewer_jwt": "reviewer"})
    s.post("auth/kubernetes/role/webapp", {"bound_service_account_names": "webapp-sa", "bound_service_account_namespaces": "webapp-ns", "audience": "vault",
                                           "token_type": "batch"})
    wrapped(s, "POST", "auth/kubernetes/login", {"role": "webapp", "jwt": jwt()}, token=None)
    s.delete("sys/auth/kubernetes")
