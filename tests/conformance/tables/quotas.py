# SPDX-License-Identifier: Apache-2.0
"""sys/quotas: rate limits on everything, on mounts, paths and roles; what is counted, and what the replies tell of it."""
import concurrent.futures
import contextlib
import time
import uuid

from fakeapi import jwt
from play import case

MINIMUM = 150
Q = "sys/quotas/rate-limit/"
AMPLE = 10000


def fresh(s):
    """Takes away what the cases before made."""
    recorded = len(s.records)
    for name in (s.list("sys/quotas/rate-limit").json.get("data") or {"keys": ()})["keys"]:
        s.delete(Q + name)
    s.post("sys/quotas/config", {"enable_rate_limit_response_headers": True})
    for path in ("kv1", "kv2", "kv3"):
        s.delete("sys/mounts/" + path)
    for path in ("pods", "pods2"):
        s.delete("sys/auth/" + path)
    del s.records[recorded:]


def names(s):
    """The names of all quotas, in whatever order they come."""
    recorded = len(s.records)
    reply = s.list("sys/quotas/rate-limit")
    del s.records[recorded:]
    s.note("names", [reply.status, sorted((reply.json.get("data") or {"keys": ()})["keys"])])


@case("before anything is configured")
def _(s):
    s.get("sys/quotas/config")
    s.list("sys/quotas/rate-limit")
    s.get("sys/quotas/rate-limit")
    s.get("sys/quotas/rate-limit", {"list": "true"})
    s.get("sys/quotas")
    s.list("sys/quotas")
    s.get(Q + "nope")
    s.delete(Q + "nope")
    s.get("sys/quotas/config", token=None)
    s.get(Q + "nope", token=None)
    s.delete("sys/quotas/config")
    s.list("sys/quotas/config")
    s.patch(Q + "nope", {})
    s.post(Q + "a/b", {"rate": 1})
    s.post(Q + "x%20y", {"rate": 1})
    s.post(Q + "-a", {"rate": 1})


@case("what a quota may say")
def _(s):
    fresh(s)
    s.post("sys/mounts/kv1", {"type": "kv"})
    s.post("sys/auth/pods", {"type": "kubernetes"})
    for i, fields in enumerate((
            {"rate": AMPLE}, {"rate": 0}, {"rate": -1}, {}, {"rate": "x"}, {"rate": " 1"}, {"rate": "1 "}, {"rate": None}, {"rate": []},
            {"rate": True, "path": "kv1/bool"}, {"rate": "5000"}, {"rate": "1e5", "path": "kv1/text"}, {"rate": 5000, "path": "nope/"},
            {"rate": 5000, "path": "auth/"}, {"rate": 5000, "path": "auth/nope/login"}, {"rate": 5000, "path": 7}, {"rate": 5000, "path": ["kv1"]},
            {"rate": 5000, "path": "kv1"}, {"rate": 5000, "path": "kv1/"}, {"rate": 5000, "path": "secret/data/foo", "name": "other"},
            {"rate": 5000.5, "path": "secret/data/x*", "interval": 60, "type": "rate"}, {"rate": 5000, "path": "/secret/data/q/"},
            {"rate": 5000, "path": "kv1/*"}, {"rate": 5000, "path": "kv1/a*b"}, {"rate": 5000, "path": "kv1/+/a"},
            {"rate": 5000, "path": "sys"}, {"rate": 5000, "path": "sys/leader"},
            {"rate": 5000, "path": "kv1/i0", "interval": "0s"}, {"rate": 5000, "path": "kv1/i1", "interval": "100ms"},
            {"rate": 5000, "path": "kv1/i2", "interval": "-1s"}, {"rate": 5000, "path": "kv1/i3", "interval": "x"},
            {"rate": 5000, "path": "kv1/i4", "interval": "2m", "block_interval": "90s"}, {"rate": 5000, "path": "kv1/i5", "block_interval": -3},
            {"rate": 5000, "path": "kv1/g0", "group_by": ""}, {"rate": 5000, "path": "kv1/g1", "group_by": "ip"},
            {"rate": 5000, "path": "kv1/g2", "group_by": "none"}, {"rate": 5000, "path": "kv1/g3", "group_by": "entity_then_ip"},
            {"rate": 5000, "path": "kv1/g4", "group_by": "entity_then_none"}, {"rate": 5000, "path": "kv1/g5", "group_by": "other"},
            {"rate": 5000, "path": "kv1/s", "secondary_rate": 3}, {"rate": 5000, "inheritable": False}, {"rate": 5000, "path": "kv1/h", "inheritable": True},
            {"rate": 5000, "path": "kv1/h1", "inheritable": False}, {"rate": 5000, "path": "kv1/h2", "inheritable": "x"},
            {"rate": 5000, "role": "r"}, {"rate": 5000, "path": "kv1", "role": "r"}, {"rate": 5000, "path": "auth/token", "role": "r"},
            {"rate": 5000, "path": "auth/pods/login", "role": "r"}, {"rate": 5000, "path": "auth/pods", "role": "r"},
            {"rate": 5000, "path": "auth/pods/", "role": "r2"}, {"rate": 5000, "path": "auth/pods"}, {"rate": 5000, "path": "auth/pods/login"},
            {"rate": 5000, "path": "auth/pods", "role": "r"})):
        if s.post(f"{Q}q{i}", fields).status == 204:
            s.get(f"{Q}q{i}")
    names(s)


@case("which of several faults of a quota is told")
def _(s):
    fresh(s)
    for fields in ({"group_by": "x"}, {"group_by": "none"}, {"group_by": "x", "rate": -1}, {"rate": 0, "secondary_rate": 2}, {"secondary_rate": 2}, {"rate": 1, "secondary_rate": 2, "path": "nope"},
                   {"rate": 0, "path": "nope"}, {"group_by": "ip", "rate": 1, "secondary_rate": -1}, {"rate": 1, "path": "nope", "role": "x"}, {"rate": 1, "inheritable": False, "path": "nope"}):
        s.post(Q + "faulty", fields)


@case("changing and deleting quotas")
def _(s):
    fresh(s)
    s.post("sys/mounts/kv1", {"type": "kv"})
    s.post(Q + "a", {"rate": AMPLE})
    s.put(Q + "a", {"rate": AMPLE + 1, "interval": "5s", "block_interval": 7})
    s.get(Q + "a")
    s.post(Q + "a", {"rate": AMPLE})
    s.get(Q + "a")
    s.post(Q + "b", {"rate": AMPLE})
    s.post(Q + "b", {"rate": AMPLE, "path": "kv1"})
    s.post(Q + "a", {"rate": AMPLE, "path": "kv1"})
    s.post(Q + "a", {"rate": AMPLE, "path": "secret/data/x"})
    s.get(Q + "a")
    s.post(Q + "c", {"rate": AMPLE})
    s.post(Q + "b", {"path": "kv1"})
    s.delete(Q + "a")
    s.get(Q + "a")
    s.delete(Q + "a")
    names(s)


@case("the configuration")
def _(s):
    fresh(s)
    s.get("sys/quotas/config")
    for fields in ({}, {"enable_rate_limit_audit_logging": True, "rate_limit_exempt_paths": ["sys/health", "foo/*"]},
                   {"enable_rate_limit_response_headers": "x"}, {"enable_rate_limit_audit_logging": []}, {"rate_limit_exempt_paths": "a,b"},
                   {"rate_limit_exempt_paths": []}, {"rate_limit_exempt_paths": ""}, {"rate_limit_exempt_paths": [" a ", "", 7]}, {"rate_limit_exempt_paths": ["/sys/x/"]}, {"absolute_rate_limit_exempt_paths": ["sys/y"]},
                   {"rate_limit_exempt_paths": None, "absolute_rate_limit_exempt_paths": None}, {"rate_limit_exempt_paths": {"a": 1}}, {"unknown": 1}):
        s.post("sys/quotas/config", fields)
        s.get("sys/quotas/config")


def ask(s, *paths, **more):
    for path in paths:
        s.get(path, **more)


@case("what is counted, and what the replies tell")
def _(s):
    fresh(s)
    s.post(Q + "s", {"rate": 2, "path": "secret/", "interval": "5m"})
    ask(s, *["secret/data/x"] * 4)
    s.get("secret/metadata", {"list": "true"})
    s.get("secret/data/x", token=None)
    s.get("secret/data/x", {"help": "1"})
    s.request("HEAD", "secret/data/x")
    s.request("OPTIONS", "secret/data/x")
    s.get("sys/internal/ui/mounts/secret/x")
    s.post(Q + "s", {"rate": 4, "path": "secret/", "interval": "5m"})
    s.get("secret/data/x", token=None)
    s.get("secret/data/x", token="bad")
    with s.differs("help-texts", ("body.help", "body.openapi*")):
        s.get("secret/data/x", {"help": "1"})
    s.request("HEAD", "secret/data/x")
    s.request("HEAD", "secret/data/x")
    s.post("sys/quotas/config", {})
    s.get("secret/data/x")
    s.post("sys/quotas/config", {"rate_limit_exempt_paths": ["secret/data/free", "secret/metadata/*"]})
    ask(s, "secret/data/free", "secret/data/freed", "secret/metadata/a", "secret/metadata")
    s.post("sys/quotas/config", {"absolute_rate_limit_exempt_paths": ["secret/data/free"]})
    ask(s, "secret/data/free", "secret/metadata/a")
    s.post(Q + "s", {"rate": 1.2, "path": "secret/", "interval": "5m"})
    s.post("sys/quotas/config", {"enable_rate_limit_response_headers": True})
    ask(s, *["secret/data/x"] * 3)
    s.post(Q + "s", {"rate": 0.1, "path": "secret/", "interval": "5m"})
    ask(s, *["secret/data/x"] * 2)


@case("the end of an interval, and of a block")
def _(s):
    fresh(s)
    s.post(Q + "s", {"rate": 1, "path": "secret/", "interval": "2s"})
    ask(s, *["secret/data/x"] * 2)
    time.sleep(2.1)
    s.get("secret/data/x")
    s.post(Q + "s", {"rate": 1, "path": "secret/", "interval": "1s", "block_interval": "4s"})
    ask(s, *["secret/data/x"] * 3)
    time.sleep(1.2)
    s.get("secret/data/x")
    time.sleep(3)
    s.get("secret/data/x")
    s.post(Q + "s", {"rate": 100, "path": "secret/", "interval": "5m"})
    s.get("secret/data/x")


@case("which of several quotas decides")
def _(s):
    fresh(s)
    s.post(Q + "m", {"rate": 30, "path": "secret/", "interval": "5m"})
    s.post(Q + "p", {"rate": 10, "path": "secret/data/only", "interval": "5m"})
    s.post(Q + "g", {"rate": 11, "path": "secret/data/g*", "interval": "5m"})
    s.post(Q + "gg", {"rate": 12, "path": "secret/data/gg*", "interval": "5m"})
    s.post(Q + "gp", {"rate": 13, "path": "secret/data/ggp", "interval": "5m"})
    s.post(Q + "all", {"rate": 1000, "interval": "5m"})
    ask(s, *(f"secret/data/{p}" for p in ("only", "only", "only/", "onl", "onlyx", "only/x", "g", "gx", "g/x", "gg", "ggx", "ggp", "ggpx", "ggp/x")))
    ask(s, "sys/mounts", "sys/leader", "sys/health", "nope/x", "cubbyhole/x", "auth/token/lookup-self", "secret", "sys/internal/ui/mounts")
    s.delete(Q + "m")
    s.get("secret/data/other")
    s.delete(Q + "all")
    s.get("secret/data/other")


@case("a quota of the logins with a role")
def _(s):
    fresh(s)
    s.post("sys/auth/pods", {"type": "kubernetes"})
    s.post("auth/pods/config", {"kubernetes_host": s.api.host, "kubernetes_ca_cert": s.api.ca, "token_reviewer_jwt": "reviewer"})
    for role in ("one", "two"):
        s.post(f"auth/pods/role/{role}", {"bound_service_account_names": "webapp-sa", "bound_service_account_namespaces": "webapp-ns", "audience": "vault"})
    s.post(Q + "one", {"rate": 2, "path": "auth/pods", "role": "one", "interval": "5m"})
    s.post(Q + "all", {"rate": 50, "path": "auth/pods", "interval": "5m"})

    def login(role):
        s.post("auth/pods/login", {"role": role, "jwt": jwt(jti=str(uuid.uuid4()))}, token=None)

    for role in ("one", "two", "one", "one", "two"):
        login(role)
    s.get("auth/pods/role/one")
    s.post("auth/pods/login", {"jwt": "x"}, token=None)
    s.post("auth/pods/login", {"role": "one", "jwt": "x"}, token=None)
    s.post("auth/pods/login", {"role": "two", "jwt": "x"}, token=None)
    s.delete("sys/auth/pods")
    names(s)


@case("what is broken is counted as well")
def _(s):
    fresh(s)
    s.post(Q + "s", {"rate": 3, "path": "secret/", "interval": "5m"})
    for _ in range(2):
        s.post("secret/data/x", body=b"{")
        s.get("secret/data/x", headers={"X-Vault-Wrap-TTL": "x"})
    s.get("secret/data/x")
    # Vault goes on, and its answer is two.
    recorded = len(s.records)
    reply = s.post("secret/data/x", body=b"{")
    del s.records[recorded:]
    s.note("then", [reply.status, reply.headers["x-ratelimit-remaining"], b"rate limit quota exceeded" in reply.body])


@case("logins at once: as many as the quota says, and every other one is told when to come again")
def _(s):
    fresh(s)
    s.post("sys/auth/pods", {"type": "kubernetes"})
    s.post("auth/pods/config", {"kubernetes_host": s.api.host, "kubernetes_ca_cert": s.api.ca, "token_reviewer_jwt": "reviewer"})
    s.post("auth/pods/role/one", {"bound_service_account_names": "webapp-sa", "bound_service_account_namespaces": "webapp-ns", "audience": "vault"})
    s.post(Q + "pods", {"rate": 20, "path": "auth/pods/login", "interval": "10m"})
    tokens = [jwt(jti=str(uuid.uuid4())) for _ in range(90)]
    recorded = len(s.records)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda token: s.post("auth/pods/login", {"role": "one", "jwt": token}, token=None), tokens))
    del s.records[recorded:]
    s.api.asked()
    s.note("statuses", [sum(reply.status == status for reply in replies) for status in (200, 429)])
    refused = {(reply.body, reply.headers["x-ratelimit-limit"], reply.headers["x-ratelimit-remaining"]) for reply in replies if reply.status == 429}
    s.note("refused", sorted([body.decode(), *headers] for body, *headers in refused))
    for reply in replies:
        limits = {name: int(reply.headers[name]) for name in ("retry-after", "x-ratelimit-reset") if name in reply.headers}
        assert set(limits) == ({"retry-after", "x-ratelimit-reset"} if reply.status == 429 else {"x-ratelimit-reset"}), (reply.status, limits)
        assert all(560 <= left <= 600 for left in limits.values()), limits
    s.note("left", sorted(int(reply.headers["x-ratelimit-remaining"]) for reply in replies if reply.status == 200))
    s.delete("sys/auth/pods")


@case("with their mounts")
def _(s):
    fresh(s)
    s.post("sys/mounts/kv1", {"type": "kv"})
    s.post("sys/mounts/kv2", {"type": "kv"})
    for name, path in (("a", "kv1"), ("b", "kv1/x*"), ("c", "kv1/y"), ("d", "kv2/y"), ("e", "secret")):
        s.post(Q + name, {"rate": AMPLE, "path": path})
    s.wait_moved(s.post("sys/remount", {"from": "kv1", "to": "kv3"}))
    for name in "abcde":
        with s.differs("quota-moved", "body.data.group_by") if name in "abc" else contextlib.nullcontext():
            s.get(Q + name)
    s.delete("sys/mounts/kv3")
    names(s)
    s.delete("sys/mounts/kv2")
    names(s)
