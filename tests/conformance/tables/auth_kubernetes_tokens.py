# SPDX-License-Identifier: Apache-2.0
"""The tokens that logins of the Kubernetes auth method make: lives, limits of the mount, renewal from the present role."""
from fakeapi import jwt
from play import case
from tables._kubernetes import configure, login, mounted, role

MINIMUM = 150
ROLE = "auth/kubernetes/role/webapp"
SELF = "auth/token/lookup-self"


def token_of(s, *args, **more):
    """Logs in, looks the token up, returns it."""
    reply = login(s, *args, **more)
    token = reply["auth"]["client_token"]
    s.get(SELF, token=token)
    return token


def renew(s, token, **data):
    reply = s.post("auth/token/renew-self", data, token=token)
    s.get(SELF, token=token)
    return reply


@case("tokens: lives that a role gives")
def _(s):
    with mounted(s):
        for fields in ({}, {"token_ttl": 60}, {"token_ttl": "1h", "token_max_ttl": "4h"}, {"token_max_ttl": 120}, {"token_period": 60},
                       {"token_period": 60, "token_ttl": 30},
                       {"token_period": 600, "token_max_ttl": 60}, {"token_explicit_max_ttl": 60}, {"token_explicit_max_ttl": 60, "token_ttl": 600},
                       {"token_explicit_max_ttl": 60, "token_period": 600}, {"token_explicit_max_ttl": 600, "token_max_ttl": 60},
                       {"token_max_ttl": "1000h"},
                       {"token_ttl": "768h"}, {"token_ttl": "1000h"}, {"ttl": "1000h"}, {"ttl": 60, "max_ttl": 120}, {"period": 60},
                       {"token_num_uses": 3},
                       {"token_type": "service"}, {"token_type": "default"}, {"token_bound_cidrs": "127.0.0.0/8"},
                       {"token_explicit_max_ttl": "1000h"}):
            s.delete(ROLE)
            role(s, **fields)
            token_of(s)


@case("tokens: limits of the mount")
def _(s):
    with mounted(s, tune={"default_lease_ttl": "60s", "max_lease_ttl": "300s"}):
        for fields in ({}, {"token_ttl": 30}, {"token_ttl": 600}, {"token_max_ttl": 600}, {"token_ttl": 200, "token_max_ttl": 250},
                       {"token_period": 300}, {"token_period": 301},
                       {"period": 301}, {"token_explicit_max_ttl": 600, "token_ttl": 600}, {"token_explicit_max_ttl": 20}):
            s.delete(ROLE)
            if role(s, **fields).status < 300:
                token_of(s)
        s.post("sys/auth/kubernetes/tune", {"max_lease_ttl": "100s", "token_type": "service"})
        s.delete(ROLE)
        role(s, token_ttl=200)
        token_of(s)
        s.post("sys/auth/kubernetes/tune", {"max_lease_ttl": "2000h", "default_lease_ttl": "1000h"})
        role(s, token_period="1500h")
        token_of(s)


@case("tokens: renewal takes the present role's lives")
def _(s):
    with mounted(s):
        role(s, token_ttl=60, token_max_ttl=600)
        token = token_of(s)
        renew(s, token)
        renew(s, token, increment=30)
        renew(s, token, increment="1h")
        role(s, token_ttl=120)
        renew(s, token)
        role(s, token_ttl=5000, token_max_ttl=6000)
        renew(s, token)
        role(s, token_ttl=10, token_max_ttl=20)
        renew(s, token)
        role(s, token_period=90, token_ttl=0, token_max_ttl=0)
        renew(s, token)
        renew(s, token, increment=500)
        role(s, token_period=0, token_ttl=3000)
        renew(s, token)
        role(s, token_policies="other", token_bound_cidrs="10.0.0.0/8", token_num_uses=5, token_explicit_max_ttl=3, audience="other",
             bound_service_account_names="other")
        renew(s, token)
        s.post("auth/token/renew", {"token": token})
        s.post("auth/token/renew", {"token": token, "increment": 5})
        s.delete(ROLE)
        renew(s, token)
        s.post("auth/token/renew", {"token": token})
        role(s, token_ttl=70)
        renew(s, token)
        s.post("auth/token/revoke-self", token=token)
        renew(s, token)


@case("tokens: renewal within limits, of periodic and of limited ones")
def _(s):
    with mounted(s):
        for fields in ({"token_period": 60}, {"token_period": 60, "token_explicit_max_ttl": 300}, {"token_explicit_max_ttl": 300},
                       {"token_num_uses": 4, "token_ttl": "1h"}, {"token_max_ttl": 200, "token_ttl": 100},
                       {"token_ttl": "1h"}, {"period": 60, "ttl": 30}):
            s.delete(ROLE)
            role(s, **fields)
            token = token_of(s)
            for increment in (None, 10, 250, "1000h"):
                renew(s, token, **({"increment": increment} if increment is not None else {}))
        s.delete("auth/kubernetes/config")
        configure(s, kubernetes_host="https://127.0.0.1:1")
        role(s)
        login(s)


@case("tokens: a limited number of uses")
def _(s):
    with mounted(s):
        role(s, token_num_uses=2)
        token = login(s)["auth"]["client_token"]
        for _ in range(3):
            s.get(SELF, token=token)
        role(s, token_num_uses=1)
        token = login(s)["auth"]["client_token"]
        s.post("auth/token/renew-self", {}, token=token)
        s.get(SELF, token=token)


@case("tokens: names that logins give them")
def _(s):
    with mounted(s), mounted(s, "Teams/Kube-1"):
        for path in ("kubernetes", "Teams/Kube-1"):
            role(s, path=path, bound_service_account_names="*", bound_service_account_namespaces="*")
            token_of(s, path=path)
            token_of(s, role="WEBAPP", path=path)
            token_of(s, jwt(namespace="other", name="a.b.c"), path=path)


@case("tokens: networks go with the token")
def _(s):
    with mounted(s):
        for cidrs in (["127.0.0.1"], ["127.0.0.0/8", "::1"], ["10.0.0.0/8"], ["::1"]):
            role(s, token_bound_cidrs=cidrs)
            reply = login(s)
            if reply.status == 200:
                s.get(SELF, token=reply["auth"]["client_token"])
                s.post("auth/token/renew-self", {}, token=reply["auth"]["client_token"])


@case("tokens: a mount that goes takes its tokens along")
def _(s):
    with mounted(s):
        role(s)
        token = token_of(s)
        with mounted(s, "second"):
            role(s, path="second")
            second = token_of(s, path="second")
        s.get(SELF, token=second)
        s.get(SELF, token=token)
        with mounted(s, "second"):
            s.get(SELF, token=second)
    s.get(SELF, token=token)
