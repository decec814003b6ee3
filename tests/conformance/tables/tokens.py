# SPDX-License-Identifier: Apache-2.0
"""auth/token, sys/leases and sys/capabilities: what is answered, and what lookup, lists and later requests show afterwards."""
import contextlib
import time

from fakeapi import jwt
from play import case

MINIMUM = 1000

PLAIN = 'path "auth/token/*" { capabilities = ["create", "read", "update", "delete", "list"] }\npath "sys/leases/*" { capabilities = ["update", "list"] }'
SUDO = 'path "auth/token/*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }\npath "sys/leases/*" { capabilities = ["update", "list", "sudo"] }'
ZERO_LEASE = "h" + "0" * 64


def policies(s):
    s.put("sys/policies/acl/plain", {"policy": PLAIN})
    s.put("sys/policies/acl/sud", {"policy": SUDO})


def new(s, token="root", path="auth/token/create", **fields):
    """A token; its auth block."""
    return s.post(path, fields, token=token)["auth"]


def show(s, auth):
    return s.post("auth/token/lookup", {"token": auth["client_token"]})


def made(s, path="auth/token/create", token="root", **fields):
    """Makes one and looks it up."""
    reply = s.post(path, fields, token=token)
    if reply.status == 200 and reply.json.get("auth"):
        show(s, reply["auth"])


def whole_second():
    """Waits for the next second. Lives are counted in whole ones: a renewal at the maximum is cut, and warned of, in the second after."""
    time.sleep(1.02 - time.time() % 1)


def role(s, name, **fields):
    s.post(f"auth/token/roles/{name}", fields)
    s.get(f"auth/token/roles/{name}")


@case("create: fields and their types")
def _(s):
    for fields in (
        {}, {"policies": "a,b"}, {"policies": ["a", 1, True, None]}, {"policies": [["x"]]}, {"policies": {"a": "b"}}, {"policies": 5}, {"policies": ""},
        {"policies": [""]}, {"policies": ["  "]}, {"policies": None}, {"policies": ["Default", " x ", "X"]}, {"policies": ["root", "x"]},
        {"meta": "x"}, {"meta": {"a": 1, "b": True, "c": None, "d": 1.5}}, {"meta": {"a": {"b": 1}}}, {"meta": ["a"]}, {"meta": [{"a": "b"}, {"c": "d"}]},
        {"meta": []}, {"meta": {}}, {"meta": None}, {"meta": 5}, {"meta": "a=b"}, {"meta": ["a=b", "c=d=e"]}, {"meta": "=b"}, {"meta": True},
        {"ttl": ["x"]}, {"ttl": {}}, {"ttl": True}, {"ttl": 3600}, {"ttl": "3600"}, {"ttl": 1.5}, {"ttl": "abc"}, {"ttl": "-5s"}, {"ttl": -5}, {"ttl": "0"},
        {"lease": "10m"}, {"lease": "-10m"}, {"lease": "abc"}, {"lease": "10m", "ttl": "5m"}, {"ttl": "1h", "lease": "zz"},
        {"renewable": "no"}, {"renewable": "false", "policies": "default"}, {"renewable": None, "policies": "default"}, {"renewable": False},
        {"num_uses": "x"}, {"num_uses": 1.5}, {"num_uses": "5"}, {"num_uses": -1}, {"num_uses": []}, {"num_uses": None, "no_parent": "x"}, {"no_parent": 1},
        {"no_default_policy": "1", "policies": ["a"]}, {"no_default_policy": True, "policies": ["a", "default"]}, {"id": {}},
        {"display_name": "a b/ç_-."}, {"display_name": "-"}, {"display_name": 5}, {"display_name": "web-1"},
        {"type": "foo"}, {"type": "service"}, {"type": "default-service"}, {"type": 5}, {"foo": "bar", "Policies": ["x"]}, {"entity_alias": "x"},
        {"policies": ["response-wrapping"]}, {"policies": ["control-group", "a"]},
    ):
        made(s, **fields)
    s.put("auth/token/create", {"policies": ["a"]})
    s.request("POST", "auth/token/create")
    s.get("auth/token/create")
    s.list("auth/token/create")
    s.delete("auth/token/create")
    s.post("auth/token/create-orphan", {"policies": ["plain"], "no_parent": False})
    s.post("auth/token/create", {}, token=None)
    s.post("auth/token/create", {}, token="nonsense")


@case("create: lives")
def _(s):
    for fields in (
        {"explicit_max_ttl": "1h"}, {"explicit_max_ttl": "1h", "policies": "default"}, {"explicit_max_ttl": "x"}, {"explicit_max_ttl": "-1"},
        {"explicit_max_ttl": "9999h", "policies": "default", "ttl": "9000h"}, {"policies": "default", "explicit_max_ttl": "1h", "ttl": "2h"},
        {"period": "1h", "policies": "default"}, {"period": "9999h", "policies": "default"}, {"period": "x"}, {"period": "-1"},
        {"period": "1h", "explicit_max_ttl": "30m", "policies": "default"}, {"period": "1h", "ttl": "10m", "policies": "default"},
        {"policies": ["root"], "ttl": "1h"}, {"policies": ["root"], "period": "1h"}, {"policies": ["root"], "explicit_max_ttl": "1h"},
        {"policies": "default", "ttl": "1000h"}, {"policies": "default", "ttl": "1d"}, {"period": "x", "explicit_max_ttl": "y", "ttl": "z"},
    ):
        made(s, **fields)


@case("create: who may do what")
def _(s):
    policies(s)
    plain = new(s, policies=["plain", "other"])["client_token"]
    bare = new(s, policies=["plain"], no_default_policy=True)["client_token"]
    sudo = new(s, policies=["sud"])["client_token"]
    for token in plain, bare, sudo:
        for fields in (
            {}, {"policies": ["plain"]}, {"policies": ["PLAIN "]}, {"policies": ["default"]}, {"policies": ["zzz"]}, {"policies": ["root"]},
            {"no_default_policy": True}, {"policies": ["plain"], "no_default_policy": True}, {"no_parent": True}, {"period": "1h"}, {"period": "0"},
            {"ttl": "1h", "id": "", "num_uses": 2}, {"policies": ["zz"], "no_parent": True}, {"no_parent": True, "period": "1h", "ttl": "x"},
        ):
            s.post("auth/token/create", fields, token=token)
        s.post("auth/token/create-orphan", {}, token=token)
        s.post("auth/token/create-orphan", {"policies": ["zzz"]}, token=token)
    for token in plain, bare:
        s.post("auth/token/create", {"id": "abc"}, token=token)
        s.post("auth/token/create", {"id": "x", "no_parent": True}, token=token)
    used = new(s, policies=["plain"], num_uses=5)["client_token"]
    s.post("auth/token/create", {}, token=used)
    s.post("auth/token/create", {"type": "batch"}, token=used)
    s.get("auth/token/lookup-self", token=used)
    whole_second()
    ending = new(s, policies=["root"], ttl="1h")["client_token"]
    s.post("auth/token/create", {}, token=ending)
    s.post("auth/token/create", {"ttl": "10m"}, token=ending)
    s.post("auth/token/create", {"policies": ["root"], "explicit_max_ttl": "1h"}, token=ending)
    s.post("auth/token/renew-self", {}, token=ending)
    nobody = new(s, policies=["default"])["client_token"]
    s.post("auth/token/create", {}, token=nobody)


@case("create: an id of one's own")
def _(s):
    for bad in "hvs.xx", "s.xx", "b.xx", "hvb.xx", "a.b":
        s.post("auth/token/create", {"id": bad})
    with s.differs("token-custom-id", at="body.warnings*"):
        s.post("auth/token/create", {"id": "my-id", "policies": "default"})
        s.post("auth/token/create", {"id": "a b", "ttl": "1h"})
    s.post("auth/token/create", {"id": "my-id"})
    s.post("auth/token/create", {"id": "root", "policies": "zz"})
    s.get("auth/token/lookup-self", token="my-id")
    s.post("auth/token/lookup", {"token": "my-id"})
    s.post("auth/token/revoke", {"token": "my-id"})
    s.get("auth/token/lookup-self", token="my-id")


@case("roles: written and read")
def _(s):
    s.list("auth/token/roles")
    role(s, "r1")
    role(s, "r3", token_period="1h", token_explicit_max_ttl="2h", token_bound_cidrs="127.0.0.0/8,1.2.3.4", token_num_uses=3, token_no_default_policy=True,
         token_type="service", allowed_policies_glob="A*", disallowed_policies_glob="z*", disallowed_policies="Root", allowed_entity_aliases="Al*,be",
         renewable=False)
    s.list("auth/token/roles")
    s.get("auth/token/roles")
    s.get("auth/token/roles", {"list": "true"})
    s.delete("auth/token/roles/nope")
    s.get("auth/token/roles/nope")
    for fields in (
        {"token_type": "default"}, {"token_type": "foo"}, {"token_type": "default-batch"}, {"token_type": ""}, {"token_num_uses": -1},
        {"path_suffix": ".."}, {"path_suffix": "a/../b"}, {"path_suffix": "a"}, {"path_suffix": "ab"}, {"path_suffix": "abc"}, {"path_suffix": "-ab"},
        {"path_suffix": "a-.b"}, {"path_suffix": "/a/"}, {"token_ttl": "1h", "token_policies": "x", "foo": 1}, {"token_period": "-1s"}, {"period": "9999h"},
        {"explicit_max_ttl": "9999h"}, {"token_explicit_max_ttl": "9999h"}, {"token_type": "batch"}, {"token_type": "batch", "orphan": True, "renewable": False},
        {"token_type": "batch", "orphan": True, "token_num_uses": 2}, {"token_type": "batch", "orphan": True, "token_period": 2},
        {"token_type": "batch", "orphan": True, "renewable": False, "token_num_uses": 2},
        {"token_type": "batch", "orphan": True, "renewable": False, "token_explicit_max_ttl": 2}, {"allowed_policies": "root"},
        {"allowed_policies": ["a b", " c "]}, {"orphan": "maybe"}, {"renewable": "x"}, {"period": 5, "token_period": 7},
        {"explicit_max_ttl": 5, "token_explicit_max_ttl": 7}, {"bound_cidrs": "1.2.3.4", "token_bound_cidrs": "4.4.4.4"}, {"bound_cidrs": "1.2.3.4"},
        {"period": "a"}, {"period": "", "explicit_max_ttl": None}, {"token_period": "", "orphan": "", "allowed_entity_aliases": None},
        {"allowed_policies_glob": "root,a", "allowed_entity_aliases": ["Root", "b "]}, {"disallowed_policies_glob": "B,a,a"},
    ):
        s.delete("auth/token/roles/t")
        role(s, "t", **fields)
    role(s, "t2", period=5)
    role(s, "t2", token_period=7)
    role(s, "t2", period=0, foo=1)
    role(s, "t2", explicit_max_ttl="9999h", foo=1, token_ttl=5, role_name="other")
    with s.differs("token-role-cidrs"):
        s.post("auth/token/roles/t3", {"token_bound_cidrs": "x/y"})
    with s.differs("token-role-suffix"):
        s.post("auth/token/roles/t4", {"path_suffix": "/abc"})
    for name in "a.b", "a@b", "a-", ".a", "a%20b", "A", "a/b":
        s.post(f"auth/token/roles/{name}", {})
        s.get(f"auth/token/roles/{name}")
    s.post("auth/token/roles", {"role_name": "zz"})
    s.delete("auth/token/roles/t3")
    s.delete("auth/token/roles/t4")
    s.list("auth/token/roles")


@case("roles: tokens made with them")
def _(s):
    policies(s)
    plain = new(s, policies=["plain", "other"])["client_token"]
    bare = new(s, policies=["plain"], no_default_policy=True)["client_token"]
    s.post("auth/token/create/nope", {})
    s.post("auth/token/roles/al", {"allowed_policies": "a,b"})
    for fields in {}, {"policies": ["a"]}, {"policies": ["c"]}, {"policies": ["a", "default"]}, {"no_default_policy": True}, {"policies": ["root"]}, {"no_parent": True}, {"entity_alias": "x"}:
        made(s, "auth/token/create/al", **fields)
    made(s, "auth/token/create/al", plain)
    made(s, "auth/token/create/al", bare, policies=["b"], no_default_policy=True)
    made(s, "auth/token/create/al", plain, no_parent=True)
    s.post("auth/token/roles/gl", {"allowed_policies_glob": "a*,x-*-y", "disallowed_policies": "aa"})
    for fields in {}, {"policies": ["ab"]}, {"policies": ["aa"]}, {"policies": ["x-1-y", "q"]}:
        made(s, "auth/token/create/gl", **fields)
    s.post("auth/token/roles/di", {"disallowed_policies": "x,default"})
    for fields in {}, {"policies": ["x"]}, {"policies": ["y", "default"]}, {"policies": ["zzz"]}:
        made(s, "auth/token/create/di", **fields)
        made(s, "auth/token/create/di", plain, **fields)
    s.post("auth/token/roles/dg", {"disallowed_policies_glob": "pl*,r*"})
    for fields in {}, {"policies": ["root"]}, {"policies": ["q"]}:
        made(s, "auth/token/create/dg", **fields)
        made(s, "auth/token/create/dg", plain, **fields)
    s.post("auth/token/roles/rt", {"allowed_policies": "root"})
    made(s, "auth/token/create/rt")
    made(s, "auth/token/create/rt", plain)
    s.post("auth/token/roles/fu", {"period": "1h", "explicit_max_ttl": "2h", "token_bound_cidrs": "127.0.0.0/8", "orphan": True, "path_suffix": "x-y",
                                   "renewable": False, "token_num_uses": 3})
    made(s, "auth/token/create/fu", policies=["a"], num_uses=5)
    made(s, "auth/token/create/fu", policies=["a"], num_uses=2, period="10m", explicit_max_ttl="3h", ttl="5m")
    made(s, "auth/token/create/fu")
    made(s, "auth/token/create/fu", plain, no_parent=True)
    made(s, "auth/token/create/fu", plain, policies=["a"])
    s.post("auth/token/roles/nd", {"token_no_default_policy": True})
    made(s, "auth/token/create/nd", plain)
    made(s, "auth/token/create/nd", plain, policies=["plain"])
    s.post("auth/token/roles/em", {"token_explicit_max_ttl": "9999h"})
    made(s, "auth/token/create/em", policies=["a"])
    s.post("auth/token/create/al/", {})
    s.put("auth/token/create/al", {"policies": "a"})
    s.list("auth/token/create/al")
    s.get("auth/token/create/al")
    s.post("auth/token/roles/away", {"token_bound_cidrs": "10.1.2.3"})
    s.get("auth/token/lookup-self", token=new(s, path="auth/token/create/away", policies=["default"])["client_token"])


@case("roles: root in a list of policies leaves the others of what is refused")
def _(s):
    for field in "allowed_policies", "disallowed_policies", "allowed_policies_glob", "disallowed_policies_glob":
        for value in "root,default", ["b", " B ", "", "Root"]:
            role(s, "mixed", **{field: value})
            for fields in {}, {"policies": ["default"]}, {"policies": ["b"]}:
                made(s, "auth/token/create/mixed", **fields)
            s.delete("auth/token/roles/mixed")


@case("roles: renewal asks the role again")
def _(s):
    s.post("auth/token/roles/pe", {"token_period": "1h"})
    whole_second()
    token = new(s, path="auth/token/create/pe", policies=["a"])["client_token"]
    s.post("auth/token/renew-self", {"increment": "2h"}, token=token)
    s.post("auth/token/roles/pe", {"token_period": "30m"})
    s.post("auth/token/renew-self", {"increment": "2h"}, token=token)
    s.get("auth/token/lookup-self", token=token)
    s.post("auth/token/roles/pe", {"token_period": "0", "token_explicit_max_ttl": "10m"})
    s.post("auth/token/renew-self", {"increment": "2h"}, token=token)
    s.delete("auth/token/roles/pe")
    s.post("auth/token/renew-self", {"increment": "2h"}, token=token)
    s.get("auth/token/lookup-self", token=token)


@case("uses are counted")
def _(s):
    policies(s)
    token = new(s, policies=["plain"], num_uses=2)["client_token"]
    for _ in range(3):
        s.get("auth/token/lookup-self", token=token)
    whole_second()
    s.post("auth/token/renew-self", {}, token=new(s, policies=["plain"], num_uses=1)["client_token"])
    s.post("auth/token/revoke-self", {}, token=new(s, policies=["plain"], num_uses=1)["client_token"])
    token = new(s, policies=["plain"], num_uses=1)["client_token"]
    show(s, {"client_token": token})
    s.post("auth/token/renew", {"token": token}, token=token)
    s.until(lambda: show(s, {"client_token": token}).status != 200)  # Vault ends it in the background
    show(s, {"client_token": token})
    token = new(s, policies=["plain"], num_uses=2)["client_token"]
    for _ in range(3):
        s.get("nope/x", token=token)
    whole_second()
    token = new(s, policies=["plain"], num_uses=3)["client_token"]
    s.post("auth/token/renew-self", {}, token=token)
    s.get("auth/token/lookup-self", token=token)


@case("lookup, renew, revoke: by id and by accessor")
def _(s):
    policies(s)
    whole_second()
    auth = new(s, policies=["plain"], ttl="1h", display_name="x y")
    token, accessor = auth["client_token"], auth["accessor"]
    s.post("auth/token/lookup-accessor", {"accessor": accessor})
    s.post("auth/token/renew-accessor", {"accessor": accessor, "increment": "10m"})
    s.get("auth/token/lookup-self", token=token)
    s.post("auth/token/renew-self", {}, token=token)
    s.get("auth/token/lookup-self", token=token)
    for increment in "9999h", "-1", "abc", 0, "20m", 1.5, True, [], None:
        s.post("auth/token/renew", {"token": token, "increment": increment})
    s.post("auth/token/renew", {"token": "root"})
    s.post("auth/token/renew", {"token": "nope"})
    s.post("auth/token/renew", {})
    s.post(f"auth/token/renew/{token}", {})
    s.get(f"auth/token/lookup/{token}")
    s.get("auth/token/lookup")
    s.get("auth/token/lookup", {"token": token})
    s.post("auth/token/lookup", {"token": "nope"})
    s.post("auth/token/lookup", {"token": "root"})
    s.get("auth/token/lookup-accessor")
    s.post("auth/token/lookup-accessor", {})
    s.post("auth/token/renew-accessor", {})
    s.post("auth/token/renew-accessor", {"accessor": "x"})
    s.post(f"auth/token/revoke-accessor/{accessor}", {})
    s.post("auth/token/revoke-accessor", {"accessor": accessor})
    s.post("auth/token/revoke-accessor", {"accessor": accessor})
    s.post("auth/token/revoke-accessor", {})
    s.post("auth/token/lookup-accessor", {"accessor": accessor})
    s.get("auth/token/lookup-self", token=token)
    s.post("auth/token/revoke", {"token": "nope"})
    s.post("auth/token/revoke", {})
    s.post("auth/token/revoke/nope", {})
    fixed = new(s, policies=["plain"], renewable=False)["client_token"]
    s.post("auth/token/renew-self", {"increment": "1h"}, token=fixed)
    whole_second()
    short = new(s, policies=["plain"], explicit_max_ttl="30m", ttl="20m")["client_token"]
    s.post("auth/token/renew-self", {"increment": "1h"}, token=short)
    periodic = new(s, policies=["plain"], period="30m")["client_token"]
    s.post("auth/token/renew-self", {"increment": "1h"}, token=periodic)
    s.post("auth/token/tidy", {})
    s.get("auth/token/tidy")
    root = new(s)["client_token"]
    s.post("auth/token/renew", {"token": root})
    s.get("auth/token/lookup-self", token=root)


@case("the last use")
def _(s):
    policies(s)
    s.post("auth/token/roles/last", {})

    def last():
        return new(s, policies=["sud"], num_uses=1)["client_token"]

    for path in "create", "create-orphan", "create/last", "create/nope":
        for fields in {}, {"type": "batch"}, {"policies": ["zz"]}, {"num_uses": "x"}, {"type": "foo"}:
            token = last()
            s.post(f"auth/token/{path}", fields, token=token)
            s.get("auth/token/lookup-self", token=token)
    for path in "lookup", "renew", "revoke", "revoke-orphan":
        token = last()
        s.post(f"auth/token/{path}", {"token": token}, token=token)
        s.get("auth/token/lookup-self", token=token)
    token = last()
    s.put("cubbyhole/x", {"a": "b"}, token=token)
    s.get("cubbyhole/x", token=token)
    s.post("sys/capabilities-self", {"paths": "auth/token/create"}, token=last())
    auth = new(s, policies=["sud"], num_uses=1)
    s.post("auth/token/lookup-accessor", {"accessor": auth["accessor"]}, token=auth["client_token"])
    auth = new(s, policies=["sud"], num_uses=1)
    s.post("auth/token/renew-accessor", {"accessor": auth["accessor"]}, token=auth["client_token"])
    auth = new(s, policies=["sud"], num_uses=1)
    s.post("auth/token/revoke-accessor", {"accessor": auth["accessor"]}, token=auth["client_token"])


@case("lookup without a token")
def _(s):
    policies(s)
    token = new(s, policies=["plain"])["client_token"]
    with s.differs("token-lookup-id", at="body.data.id"):
        s.post("auth/token/lookup", {}, token=token)
        s.get("auth/token/lookup", token=token)
    s.get("auth/token/lookup", token="root")


@case("trees: children go with their parent")
def _(s):
    policies(s)
    top = new(s, policies=["plain"])
    left = new(s, top["client_token"])
    right = new(s, top["client_token"])
    leaf = new(s, left["client_token"])
    orphan = new(s, top["client_token"], path="auth/token/create-orphan")
    below = new(s, orphan["client_token"])
    everyone = top, left, right, leaf, orphan, below
    for auth in everyone:
        show(s, auth)
    s.post("auth/token/revoke-accessor", {"accessor": left["accessor"]})
    for auth in everyone:
        show(s, auth)
    s.post("auth/token/revoke-self", {}, token=top["client_token"])
    for auth in everyone:
        show(s, auth)
        s.post("auth/token/lookup-accessor", {"accessor": auth["accessor"]})
    s.post("auth/token/revoke", {"token": orphan["client_token"]})
    show(s, below)


@case("trees: revoke-orphan leaves the children")
def _(s):
    policies(s)
    plain = new(s, policies=["plain"])["client_token"]
    s.post("auth/token/revoke-orphan", {}, token=plain)
    s.post("auth/token/revoke-orphan", {})
    s.post("auth/token/revoke-orphan", {"token": "x123"})
    s.list("auth/token/accessors", token=plain)
    top = new(s, policies=["plain"])
    middle = new(s, top["client_token"])
    leaf = new(s, middle["client_token"])
    s.post("auth/token/revoke-orphan", {"token": middle["client_token"]})
    for auth in top, middle, leaf:
        show(s, auth)
    s.post("auth/token/revoke", {"token": top["client_token"]})
    show(s, leaf)
    s.get("auth/token/lookup-self", token=leaf["client_token"])


@case("trees: children end with their parent's time")
def _(s):
    policies(s)
    top = new(s, policies=["plain"], ttl="1s")
    leaf = new(s, top["client_token"], ttl="1h")
    orphan = new(s, top["client_token"], path="auth/token/create-orphan", ttl="1h")
    batch = new(s, top["client_token"], ttl="1h", type="batch")
    s.until(lambda: all(show(s, auth).status != 200 for auth in (top, leaf, batch)))
    for auth in top, leaf, orphan, batch:
        show(s, auth)
        s.get("auth/token/lookup-self", token=auth["client_token"])


@case("batch tokens")
def _(s):
    policies(s)
    for fields in (
        {}, {"policies": ["a"], "num_uses": 2}, {"policies": ["a"], "period": "1h"}, {"policies": ["a"], "period": "0"}, {"policies": ["a"], "explicit_max_ttl": "1h"},
        {"policies": ["a"], "renewable": True, "ttl": "1h", "meta": {"a": "b"}, "display_name": "b c"}, {"num_uses": 1, "period": "1h", "explicit_max_ttl": "1h"},
        {"period": "abc"}, {"explicit_max_ttl": "-1"}, {"policies": ["a"], "no_parent": True}, {"policies": ["a"], "ttl": "1000h"},
    ):
        made(s, type="batch", **fields)
    batch = new(s, type="batch", policies=["sud"], ttl="1h")["client_token"]
    s.get("auth/token/lookup-self", token=batch)
    for path in "renew", "revoke", "revoke-orphan":
        s.post(f"auth/token/{path}", {"token": batch})
    s.post("auth/token/renew-self", {}, token=batch)
    s.post("auth/token/revoke-self", {}, token=batch)
    s.post("auth/token/create", {}, token=batch)
    s.post("auth/token/create", {"type": "batch"}, token=batch)
    s.put("cubbyhole/x", {"a": "b"}, token=batch)
    s.get("cubbyhole/x", token=batch)
    s.post("sys/capabilities", {"token": batch, "paths": "auth/token/create"})
    s.post("sys/capabilities-self", {"paths": "auth/token/create"}, token=batch)
    for bad in "hvb.AAAA", "hvb.", batch[:-4] + "AAAA":
        s.get("auth/token/lookup-self", token=bad)
        for path in "lookup", "renew", "revoke":
            s.post(f"auth/token/{path}", {"token": bad})
    parent = new(s, policies=["sud"])["client_token"]
    child = new(s, parent, type="batch", policies=["default"])["client_token"]
    s.get("auth/token/lookup-self", token=child)
    s.post("auth/token/revoke", {"token": parent})
    s.get("auth/token/lookup-self", token=child)
    s.post("auth/token/revoke", {"token": child})
    s.post("auth/token/roles/ba", {"token_type": "batch", "orphan": True, "renewable": False})
    s.post("auth/token/roles/db", {"token_type": "default-batch"})
    s.post("auth/token/roles/sv", {"token_type": "service"})
    s.post("auth/token/roles/ds", {"token_type": "default-service", "period": "1h", "token_num_uses": 3})
    for name in "ba", "db", "sv", "ds":
        for fields in {"policies": ["a"]}, {"policies": ["a"], "type": "service"}, {"policies": ["a"], "type": "batch"}, {"policies": ["a"], "type": "foo"}, {"policies": ["a"], "num_uses": 3}, {}:
            made(s, f"auth/token/create/{name}", **fields)


@case("leases")
def _(s):
    policies(s)
    s.list("sys/leases/lookup")
    s.list("sys/leases/lookup/auth")
    s.list("sys/leases/lookup/auth/tok")
    s.list("sys/leases/lookup/nope")
    s.post("auth/token/roles/suf", {"path_suffix": "abc-d"})
    auth = new(s, path="auth/token/create/suf", policies=["default"], ttl="1h")
    s.list("sys/leases/lookup/auth/token/create/suf")
    keys = s.list("sys/leases/lookup/auth/token/create/suf/abc-d")["data"]["keys"]
    lease = "auth/token/create/suf/abc-d/" + keys[0]
    for method in s.put, s.post:
        method("sys/leases/lookup", {"lease_id": lease})
    s.post("auth/token/renew", {"token": auth["client_token"]})
    s.put("sys/leases/lookup", {"lease_id": lease})
    s.list(f"sys/leases/lookup/{lease}")
    s.put(f"sys/leases/lookup/{lease}", {})
    s.get("sys/leases/lookup")
    s.get("sys/leases/lookup/auth/token")
    for path in "sys/leases/renew", "sys/renew":
        for fields in {}, {"lease_id": "x/y"}, {"lease_id": lease}, {"lease_id": lease, "increment": "abc"}:
            s.put(path, fields)
        s.put(f"{path}/{lease}", {"increment": "1h"})
        s.put(f"{path}/x/y", {"lease_id": "z/z"})
        s.put(f"{path}/{lease}", {"lease_id": "z/z"})
        s.put(f"{path}/x/y", {"lease_id": lease})
        s.put(path, {"url_lease_id": lease})
    for fields in {}, {"lease_id": "x/y"}, {"lease_id": "auth/token/create/" + ZERO_LEASE}:
        s.put("sys/leases/lookup", fields)
    for path in "sys/leases/revoke", "sys/revoke":
        for fields in {}, {"lease_id": "x/y"}, {"lease_id": "x/y", "sync": False}, {"lease_id": "x/y", "sync": "maybe"}:
            s.put(path, fields)
        s.put(f"{path}/x/y", {"sync": False})
        s.put(f"{path}/{lease}", {"lease_id": "z/z"})
    show(s, auth)
    s.put("sys/leases/revoke", {"lease_id": lease})
    show(s, auth)
    s.put("sys/leases/lookup", {"lease_id": lease})
    s.list("sys/leases/lookup/auth/token/create/suf")
    s.delete("sys/leases/revoke/x")
    nobody = new(s, policies=["default"])["client_token"]
    s.put("sys/leases/lookup", {"lease_id": "x/y"}, token=nobody)
    s.list("sys/leases/lookup/", token=nobody)
    s.put("sys/leases/revoke-prefix/x", {}, token=nobody)
    plain = new(s, policies=["plain"])["client_token"]
    s.list("sys/leases/lookup/auth", token=plain)
    s.put("sys/leases/revoke-prefix/x", {}, token=plain)
    s.put("sys/leases/revoke-force/x", {}, token=plain)


@case("leases: revoked by prefix")
def _(s):
    s.post("auth/token/roles/pre", {})
    s.post("auth/token/roles/prefix", {})
    for path in "sys/leases/revoke-prefix", "sys/revoke-prefix", "sys/leases/revoke-force", "sys/revoke-force":
        one, two = (new(s, path="auth/token/create/pre", policies=["default"]) for _ in range(2))
        other = new(s, path="auth/token/create/prefix", policies=["default"])
        for fields in {}, {"sync": True}, {"sync": False}:
            s.put(f"{path}/nope", fields)
        s.put(f"{path}/auth/token/create/pre", {"sync": True})
        for auth in one, two, other:
            show(s, auth)
        s.put(path, {})
        s.put(f"{path}/", {})
        s.get(f"{path}/x")
    s.list("sys/leases/lookup/auth/token/create/pre")


@case("leases: counts and the rest")
def _(s):
    s.put("sys/leases/tidy", {})
    s.get("sys/leases/tidy")
    for path in "sys/leases/count", "sys/leases":
        s.get(path)
        for kind in "irrevocable", "x":
            s.get(path, {"type": kind})
    s.get("sys/leases/count", {"type": "irrevocable", "include_child_namespaces": "true"})
    s.list("sys/leases")


@case("capabilities of others")
def _(s):
    policies(s)
    auth = new(s, policies=["plain"])
    for fields in {}, {"paths": []}, {"path": "x"}, {"path": "x", "token": "root", "accessor": "yy"}, {"path": "x", "token": "yyy", "accessor": ""}, {"token": "root"}, {"paths": ["", ""], "token": "root"}:
        s.post("sys/capabilities", fields)
        s.post("sys/capabilities-accessor", fields)
    for paths in "auth/token/create", ["auth/token/create", "x"], "a,auth/token/create", ["sys/leases/lookup"]:
        s.post("sys/capabilities", {"token": auth["client_token"], "paths": paths})
        s.post("sys/capabilities", {"token": auth["client_token"], "path": paths})
        s.post("sys/capabilities-accessor", {"accessor": auth["accessor"], "paths": paths})
        s.post("sys/capabilities-self", {"paths": paths}, token=auth["client_token"])
    s.get("sys/capabilities")
    s.get("sys/capabilities-accessor")
    s.post("sys/capabilities-self", {})
    s.post("sys/capabilities-self", {"path": "a,b", "token": "x"})
    s.put("sys/capabilities", {"token": "root", "paths": "x"})
    s.post("sys/capabilities", {"token": "root", "paths": "x"}, token=auth["client_token"])


def kubernetes(s, **config):
    """A Kubernetes mount of CONFIG, and its role web."""
    s.post("sys/auth/k", {"type": "kubernetes", "config": config})
    s.post("auth/k/config", {"kubernetes_host": s.api.host, "kubernetes_ca_cert": s.api.ca, "token_reviewer_jwt": "reviewer"})


def login(s, name="web"):
    s.jwt = getattr(s, "jwt", None) or jwt()  # one for all: they are numbered, and made anew they differ by the second
    return s.post("auth/k/login", {"role": name, "jwt": s.jwt}, token=None)


def web(s, name="web", **fields):
    s.post(f"auth/k/role/{name}", {"bound_service_account_names": "*", "bound_service_account_namespaces": "*", "audience": "vault"} | fields)


@case("logins: kinds of tokens")
def _(s):
    kubernetes(s)
    for fields in {"token_type": "batch", "token_period": 5}, {"token_type": "batch", "token_num_uses": 5}, {"token_type": "default-batch"}, {"token_type": "default-service"}:
        web(s, **fields)
    web(s, "batch", token_type="batch", token_policies="plain", token_ttl="1h", token_bound_cidrs="127.0.0.1")
    web(s, "service", token_type="service", token_policies="plain")
    web(s, "default", token_policies="plain", token_explicit_max_ttl="1h")
    for kind in "default-service", "service", "default-batch", "batch", "both", "default":
        s.post("sys/auth/k/tune", {"token_type": kind})
        s.get("sys/auth/k/tune")
        for name in "batch", "service", "default":
            whole_second()
            auth = login(s, name)["auth"]
            show(s, auth)
            s.get("auth/token/lookup-self", token=auth["client_token"])
            s.post("auth/token/renew", {"token": auth["client_token"]})
    s.post("sys/auth/token/tune", {"token_type": "batch"})
    s.delete("sys/auth/k")


@case("logins: children, and leases of logins")
def _(s):
    policies(s)
    kubernetes(s)
    web(s, token_policies="plain")
    one, two = login(s)["auth"], login(s)["auth"]
    child = new(s, one["client_token"])
    orphan = new(s, one["client_token"], path="auth/token/create-orphan")
    batch = new(s, one["client_token"], type="batch")
    for auth in one, child, orphan, batch:
        show(s, auth)
    s.list("sys/leases/lookup/auth/k")
    s.list("sys/leases/lookup/auth")
    s.put("sys/leases/revoke-prefix/auth/k/logins", {})
    show(s, one)
    s.put("sys/leases/revoke-prefix/auth/k/login", {})
    for auth in one, two, child, orphan, batch:
        show(s, auth)
    s.list("sys/leases/lookup/auth/k")
    parent = login(s)["auth"]
    child = new(s, parent["client_token"])
    grandchild = new(s, child["client_token"])
    s.delete("sys/auth/k")
    for auth in parent, child, grandchild:
        show(s, auth)


@case("logins: a mount that is moved")
def _(s):
    policies(s)
    kubernetes(s)
    web(s, token_policies="plain")
    parent = login(s)["auth"]
    child = new(s, parent["client_token"])
    batch = new(s, parent["client_token"], type="batch")
    s.wait_moved(s.post("sys/remount", {"from": "auth/k", "to": "auth/k2"}))
    for auth in parent, child, batch:
        show(s, auth)
    s.delete("sys/auth/k2")


@case("the token mount's own lives")
def _(s):
    s.post("sys/auth/token/tune", {"default_lease_ttl": "10m", "max_lease_ttl": "20m"})
    for fields in {}, {"ttl": "1h"}, {"ttl": "5m"}, {"period": "1h"}, {"explicit_max_ttl": "30m"}:
        made(s, policies="default", **fields)
    whole_second()
    token = new(s, policies="default")["client_token"]
    s.post("auth/token/renew-self", {"increment": "1h"}, token=token)
    s.post("sys/auth/token/tune", {"default_lease_ttl": 0, "max_lease_ttl": 0})


@case("an entity by alias")
def _(s):
    s.post("auth/token/roles/ea", {"allowed_entity_aliases": "web*"})
    for alias in "x", "Web1", "", "web1", "web2", [], 5:
        made(s, "auth/token/create/ea", policies=["a"], entity_alias=alias)


@case("a token of a role keeps its own limit when it is renewed")
def _(s):
    role(s, "own", renewable=True)
    made = s.post("auth/token/create/own", {"policies": ["default"], "ttl": "5m", "explicit_max_ttl": "10m"})["auth"]["client_token"]
    with s.differs("renewal-limits"):
        s.post("auth/token/renew", {"token": made, "increment": "10h"})
    role(s, "own", token_explicit_max_ttl="8m")
    s.post("auth/token/renew", {"token": made, "increment": "10h"})
    role(s, "own", token_explicit_max_ttl="8h")
    with s.differs("renewal-limits"):
        s.post("auth/token/renew", {"token": made, "increment": "10h"})


@case("children of a bound token, roles without a default policy, and types that were there before")
def _(s):
    policies(s)
    for name, fields in (("bound", {"token_bound_cidrs": ["127.0.0.0/8"]}), ("none", {}), ("orphan", {"orphan": True}), ("away", {"token_bound_cidrs": "10.0.0.0/8", "orphan": True})):
        s.post(f"auth/token/roles/{name}", fields)
    for parent in (["sud"], ["root"]):
        token = new(s, path="auth/token/create/bound", policies=parent, ttl="1h")["client_token"]
        for path in ("create", "create-orphan", "create/none", "create/bound", "create/orphan", "create/away"):
            for fields in ({}, {"policies": ["default"]}, {"no_parent": True, "policies": ["default"]}, {"type": "batch", "policies": ["default"]}, {"policies": ["root"], "ttl": "10m"}):
                made(s, path="auth/token/" + path, token=token, **fields)
    made(s, path="auth/token/create/away")
    for fields in ({"allowed_policies": "a,b"}, {"disallowed_policies_glob": "def*"}, {"disallowed_policies": "zz"}, {"allowed_policies_glob": "*"}):
        for without in (True, False):
            s.post("auth/token/roles/list", fields | {"token_no_default_policy": without})
            for body in ({}, {"policies": ["a"]}, {"policies": ["default"]}, {"policies": ["a"], "no_default_policy": True}, {"policies": ["zz"]}, {"policies": ["a"], "type": "batch"}):
                made(s, path="auth/token/create/list", **body)
        s.delete("auth/token/roles/list")
    made(s, policies=["default"], no_default_policy=True, type="batch", meta={})
    made(s, policies=["default"], no_default_policy=True, meta={})
    for fields in ({"token_type": "default-batch", "token_num_uses": 3}, {"token_explicit_max_ttl": "1h"}, {"token_type": "default-batch", "token_period": "1h"}, {"orphan": True},
                   {"token_num_uses": 0}, {"token_num_uses": 0, "token_period": 0}, {"token_num_uses": 2}, {"token_type": "service"}, {"token_period": "1h"}):
        role(s, "typed", **fields)
    accessor = new(s, policies=["plain"], renewable=False)["accessor"]
    for increment in ("1h", "x"):
        s.post("auth/token/renew-accessor", {"accessor": accessor, "increment": increment})
    parent = new(s, policies=["sud"])["client_token"]
    child = new(s, token=parent)
    s.post("auth/token/revoke-orphan", {"token": parent})
    show(s, child)
    s.post("auth/token/renew", {"token": child["client_token"]})
    show(s, child)


@case("root with an entity")
def _(s):
    policies(s)
    accessor = s.get("sys/auth")["data"]["token/"]["accessor"]
    entity = s.post("identity/entity", {"name": "rooted", "policies": "plain"})["data"]["id"]
    s.post("identity/entity-alias", {"name": "rooted", "mount_accessor": accessor, "canonical_id": entity})
    s.post("auth/token/roles/rooted", {"allowed_entity_aliases": "rooted"})
    auth = new(s, path="auth/token/create/rooted", entity_alias="rooted")
    token = auth["client_token"]
    s.get("auth/token/lookup-self", token=token)
    with s.differs("root-with-entity"):
        s.post("sys/capabilities", {"token": token, "paths": "x"})
        s.post("sys/capabilities-accessor", {"accessor": auth["accessor"], "paths": "x"})
    s.post(f"identity/entity/id/{entity}", {"policies": []})
    s.get("auth/token/lookup-self", token=token)
    s.delete(f"identity/entity/id/{entity}")


@case("the list of accessors needs sudo, its path without a list nothing")
def _(s):
    s.put("sys/policies/acl/no-sudo", {"policy": 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "patch"] }'})
    token = new(s, policies=["no-sudo"])["client_token"]
    for path in "auth/token/accessors", "auth/token/accessors/":
        s.list(path, token=token)
        s.get(path, token=token)
        s.post(path, {}, token=token)
    s.post("auth/token/revoke-orphan", {"token": new(s)["client_token"]}, token=token)
    s.delete("sys/policies/acl/no-sudo")


@case("a renewal tells the type of the token, whatever its mount gives by now")
def _(s):
    kubernetes(s)
    web(s, token_ttl="1h")
    token = login(s)["auth"]["client_token"]
    for token_type in "service", "default-batch", "batch":
        s.post("sys/mounts/auth/k/tune", {"token_type": token_type})
        with s.differs("renewal-token-type", "body.auth.token_type") if token_type == "batch" else contextlib.nullcontext():
            s.post("auth/token/renew-self", {}, token=token)
        s.get("auth/token/lookup-self", token=token)
    s.delete("sys/auth/k")


@case("the last use of a token, on paths that ask what it is")
def _(s):
    s.put("sys/policies/acl/last", {"policy": 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }'})
    for method, path, data in (("GET", "sys/internal/ui/resultant-acl", None), ("GET", "sys/internal/ui/mounts", None), ("GET", "sys/internal/ui/mounts/secret", None),
                               ("POST", "sys/capabilities-self", {"paths": ["a"]}), ("POST", "auth/token/create-orphan", {}), ("POST", "auth/token/revoke-self", {}),
                               ("POST", "secret/data/last", {"data": {}}), ("GET", "secret/metadata/last", None), ("LIST", "cubbyhole", None), ("GET", "nowhere/x", None)):
        auth = new(s, policies=["last"], num_uses=1)
        s.request(method, path, data, token=auth["client_token"])
        s.until(lambda: s.post("auth/token/lookup-accessor", {"accessor": auth["accessor"]}).status != 200)
        s.request(method, path, data, token=auth["client_token"])
    s.delete("secret/metadata/last")
    s.delete("sys/policies/acl/last")


@case("tokens of namespaces that are not there")
def _(s):
    for token in "foo.bar", "hvs.abc.def", "hvr.x", "hvb.x", "root.x", "s.aaaaaaaaaaaaaaaaaaaaaaaa.bbbbb":
        with s.differs("token-namespaces", ("status", "body*")):
            for path in "lookup", "unwrap", "rewrap":
                s.post("sys/wrapping/" + path, {"token": token})
            for path in "lookup", "revoke", "renew":
                s.post("auth/token/" + path, {"token": token})
            s.post("sys/capabilities", {"token": token, "path": "a"})
            s.get("auth/token/lookup-self", token=token)
            s.post("sys/wrapping/unwrap", token=token)
    for accessor in "foo.bar", "hvr.x":
        with s.differs("token-namespaces", ("status", "body*")):
            s.post("auth/token/lookup-accessor", {"accessor": accessor})
