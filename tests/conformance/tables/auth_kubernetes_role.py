# SPDX-License-Identifier: Apache-2.0
"""auth/<mount>/role/<name>: fields, defaults, refusals, old names; and which accounts a role lets in."""
from fakeapi import UID, jwt
from play import case
from tables._kubernetes import login, mounted, role

MINIMUM = 300
ROLE = "auth/kubernetes/role/webapp"
NAMES = {"bound_service_account_names": "webapp-sa", "bound_service_account_namespaces": "webapp-ns"}


def written(s, **fields):
    """A role of these fields alone, and how it reads."""
    s.delete(ROLE)
    s.post(ROLE, NAMES | {"audience": "vault"} | fields)
    s.get(ROLE)


@case("role: defaults, updates, list, delete")
def _(s):
    with mounted(s):
        s.get(ROLE)
        s.list("auth/kubernetes/role")
        s.get("auth/kubernetes/role", {"list": "true"})
        s.delete(ROLE)
        s.post(ROLE, NAMES)
        s.get(ROLE)
        s.post(ROLE, {"token_policies": "a,b"})
        s.get(ROLE)
        s.post(ROLE, {})
        s.get(ROLE)
        s.put(ROLE, {"audience": "vault"})
        s.get(ROLE)
        s.post(ROLE, {"audience": ""})
        s.get(ROLE)
        s.post(ROLE, {"audience": " "})
        s.get(ROLE)
        s.patch(ROLE, {"audience": "x"})
        s.post("auth/kubernetes/role/Other", NAMES)
        s.get("auth/kubernetes/role/oTHER")
        s.list("auth/kubernetes/role")
        s.list("auth/kubernetes/role/")
        s.get("auth/kubernetes/role/")
        s.get("auth/kubernetes/role")
        s.post("auth/kubernetes/role/", NAMES)
        s.delete("auth/kubernetes/role/OTHER")
        s.list("auth/kubernetes/role")
        s.get(ROLE, token=None)
        s.list("auth/kubernetes/role", token=None)
        s.post(ROLE, NAMES, token="hvs.nothing")
        s.delete(ROLE)
        s.list("auth/kubernetes/role")


@case("role: names of roles")
def _(s):
    with mounted(s):
        for name in ("a", "A1", "a-b", "a.b", "a_b", "a..b", "-a", "a-", ".a", "a.", "_", "a/b", "a%20b", "a%2Fb", "%C3%BC", "1", "a" * 256, "a--b"):
            s.post(f"auth/kubernetes/role/{name}", NAMES)
            s.get(f"auth/kubernetes/role/{name}")
            s.delete(f"auth/kubernetes/role/{name}")
        s.list("auth/kubernetes/role")


@case("role: types of the fields")
def _(s):
    values = (7, 1.5, True, "", None, " a , b ,,c", ["a", " b ", "c,d"], [1, True, None], [["a"]], [{"a": "b"}], {}, {"a": "b"}, [])
    with mounted(s):
        for field in ("bound_service_account_names", "bound_service_account_namespaces", "token_policies", "policies"):
            for value in values:
                written(s, **{field: value})
        for field in ("audience", "alias_name_source", "token_type", "bound_service_account_namespace_selector"):
            for value in (7, 1.5, True, "", None, ["a"], {"a": "b"}):
                written(s, **{field: value})


@case("role: durations and numbers")
def _(s):
    seconds = (0, 60, "60", "60s", "1h30m", "1.5h", "2d", "1.5d", "", None, -5, "-5", "-5s", 1.7, "1.7", "1.7s", "1500ms", "x", "1x", " 60 ", True,
               [], {},
               "768h", "9223372036", "9223372037", "1e3", "0x10", "1_000", "60S", "1h ", "\u0661")
    with mounted(s):
        for value in seconds:
            written(s, token_ttl=value)
        for field in ("token_max_ttl", "token_period", "token_explicit_max_ttl", "ttl", "max_ttl", "period"):
            for value in (60, "2h", -1, "x", None, ""):
                written(s, **{field: value})
        for value in (0, 5, "5", "0x10", "010", 5.5, -5, "-5", "", None, True, "x", [], "99999999999999999999", 9223372036854775807):
            written(s, token_num_uses=value)
        for value in (True, "true", 1, "0", "maybe", None, []):
            written(s, token_no_default_policy=value)
        with s.differs("json-whole-numbers"):
            s.post(ROLE, NAMES | {"audience": "vault", "token_ttl": 60.0})
            s.post(ROLE, NAMES | {"audience": "vault", "token_num_uses": 5.0})


@case("role: what the fields must fulfil")
def _(s):
    with mounted(s):
        for fields in (
                {"bound_service_account_names": ""}, {"bound_service_account_namespaces": ""}, {"bound_service_account_names": "*"},
                {"bound_service_account_namespaces": "*"}, {"bound_service_account_names": "*", "bound_service_account_namespaces": "*"},
                {"bound_service_account_names": "*,a"}, {"bound_service_account_names": "a,*"}, {"bound_service_account_namespaces": "a,*"},
                {"bound_service_account_names": "*,*"}, {"bound_service_account_names": "a*,*b"}, {"bound_service_account_names": ["", "a"]},
                {"token_type": "service"}, {"token_type": "default"}, {"token_type": "default-service"}, {"token_type": "default-batch"},
                {"token_type": "Service"}, {"token_type": "x"}, {"token_max_ttl": 60, "token_ttl": 120}, {"max_ttl": 60, "ttl": 120},
                {"token_max_ttl": 60, "ttl": 120}, {"token_ttl": "1000h"}, {"token_max_ttl": "1000h"}, {"token_max_ttl": "1000h", "audience": ""},
                {"token_period": "769h"}, {"token_period": "768h"}, {"token_period": "769h", "token_max_ttl": 5}, {"period": "1000h"},
                {"token_explicit_max_ttl": "1000h"}, {"alias_name_source": "serviceaccount_name"}, {"alias_name_source": "serviceaccount_uid"},
                {"alias_name_source": "serviceaccount_Name"}, {"alias_name_source": "x", "bound_service_account_names": ""},
                {"token_policies": "root"}, {"policies": "root"}, {"policies": "b,a,B, root"}, {"policies": "b,a,B,,a "},
                {"token_policies": "b,a,B,,a "},
                {"policies": ["b,a", "C"]}, {"token_num_uses": 3}, {"token_num_uses": -1, "num_uses": 5}, {"token_num_uses": 2, "num_uses": 5}):
            written(s, **fields)
        s.delete(ROLE)
        s.post(ROLE, {"bound_service_account_names": "a"})
        s.post(ROLE, {"bound_service_account_namespaces": "a"})
        s.post(ROLE, {"unknown": 1, "audiences": "vault"} | NAMES)
        s.get(ROLE)
        s.post(ROLE, {"unknown": 1, "audiences": "vault", "audience": "vault"})
        s.post(ROLE, {"alias_metadata": {"a": "b"}})
        s.get(ROLE)
        # A refused write leaves the role as it was.
        s.post(ROLE, {"audience": "changed", "token_type": "x"})
        s.post(ROLE, {"audience": "changed", "bound_service_account_names": ""})
        s.post(ROLE, {"audience": "changed", "alias_name_source": ""})
        s.post(ROLE, {"audience": "changed", "alias_name_source": "x"})
        s.get(ROLE)


@case("role: old names of the fields")
def _(s):
    pairs = [("policies", ["b", "a"], ["c"]), ("ttl", 60, 120), ("max_ttl", 600, 900), ("period", 60, 120), ("num_uses", 3, 5),
             ("bound_cidrs", ["10.0.0.0/8"], ["127.0.0.1"])]
    with mounted(s):
        for name, old, new in pairs:
            written(s, **{name: old})
            written(s, **{"token_" + name: new})
            written(s, **{"token_" + name: new, name: old})
            s.post(ROLE, {"audience": "vault"})
            s.get(ROLE)
            s.post(ROLE, {name: old})
            s.get(ROLE)
            s.post(ROLE, {"token_" + name: new})
            s.get(ROLE)
            s.post(ROLE, {name: [] if isinstance(old, list) else 0})
            s.get(ROLE)
            s.post(ROLE, {name: None})
            s.get(ROLE)


@case("role: networks")
def _(s):
    with mounted(s):
        for value in ("127.0.0.1", "127.0.0.1/32", "127.0.0.1/8", "10.0.0.0/8,127.0.0.1", ["::1", "fd00::/8"], "::1/128", "::ffff:127.0.0.1",
                      "localhost!", "", "300.0.0.1", "10.0.0", [None], [5], "::ffff:10.0.0.0/104", " 127.0.0.1 ", "FD00::1",
                      "0.0.0.0/0", "::/0", "10.1.2.3/8"):
            written(s, token_bound_cidrs=value)
            login(s)
        with s.differs("bound-cidrs"):
            for value in ("x/99", "10.0.0.0/33", "127.0.0.1:80", "[::1]:80"):
                s.post(ROLE, NAMES | {"token_bound_cidrs": value})
            s.post(ROLE, NAMES | {"num_uses": -5})


@case("role: which names and namespaces come in")
def _(s):
    patterns = ["webapp-sa", "webapp-*", "*-sa", "*", "w*a", "w*p-*a", "webapp-sa*", "*webapp-sa", "**", "webapp", "webapp-s?", "Webapp-sa",
                "[w]ebapp-sa", "web*app*sa", "webapp-sawebapp-sa", "w*webapp-sa", "a,webapp-sa", ",webapp-sa", "\\webapp-sa", "webapp-sa\n"]
    with mounted(s):
        for pattern in patterns:
            role(s, bound_service_account_names=pattern)
            login(s)
            role(s, bound_service_account_names="webapp-sa", bound_service_account_namespaces=pattern.replace("-sa", "-ns").replace("*sa", "*ns"))
            login(s)
        role(s, bound_service_account_names="*", bound_service_account_namespaces="*")
        login(s, jwt(namespace="other", name="another"))
        # The first of several may not be "*" by the API; a blank one matches an empty name only.
        role(s, bound_service_account_names=["", "x"], bound_service_account_namespaces=["", "x"])
        login(s)
        for name in ("a" * 63, "a" * 253, ".".join(["a" * 61] * 4), "a.b-c.0"):
            role(s, bound_service_account_names=[name], bound_service_account_namespaces=["n" * 63], alias_name_source="serviceaccount_name")
            reply = login(s, jwt(namespace="n" * 63, name=name))
            s.get("auth/token/lookup-self", token=reply["auth"]["client_token"])
        with s.differs("account-names"):
            for name in ("a" * 254, "UPPER", "under_score", "-a", "a.", "ü"):
                login_as(s, "webapp-ns", name)
            for namespace in ("a.b", "a" * 64, "UPPER", "-a"):
                login_as(s, namespace, "webapp-sa")


def login_as(s, namespace, name):
    """The role lets everybody in: what the role write answers is the same everywhere."""
    wanted, s.wanted = s.wanted, []
    role(s, bound_service_account_names="*", bound_service_account_namespaces="*")
    s.wanted = wanted
    login(s, jwt(namespace=namespace, name=name))


@case("role: an alias by uid and by name")
def _(s):
    with mounted(s):
        for source in ("serviceaccount_uid", "serviceaccount_name"):
            role(s, alias_name_source=source)
            first = login(s)["auth"]
            second = login(s)["auth"]
            s.note("the same entity", first["entity_id"] == second["entity_id"])
            s.get("auth/token/lookup-self", token=first["client_token"])
            login(s, jwt(**{"kubernetes.io": {"namespace": "webapp-ns", "serviceaccount": {"name": "webapp-sa"}}}))
            login(s, jwt(**{"kubernetes.io": {"namespace": "webapp-ns", "serviceaccount": {"name": "webapp-sa", "uid": UID.upper()}}}))


@case("role: policies of its tokens")
def _(s):
    with mounted(s):
        for fields in ({"token_policies": ["b", "A", "a", " c ", ""]}, {"token_policies": []}, {"token_no_default_policy": True},
                       {"token_no_default_policy": True, "token_policies": ["default", "x"]}, {"token_policies": ["default"]},
                       {"token_no_default_policy": True, "token_policies": []}, {"token_policies": ["root"]}, {"token_policies": ["rOOt"]},
                       {"token_policies": ["a", "root"]}, {"policies": ["root"]}, {"token_policies": ["response-wrapping"]},
                       {"token_policies": ["control-group"]},
                       {"token_policies": ["Default"]}, {"token_policies": ["ünïcode", "with blank", "a/b"]}):
            s.delete(ROLE)
            role(s, **{"token_policies": None} | fields)
            reply = login(s)
            if reply.status == 200:
                s.get("auth/token/lookup-self", token=reply["auth"]["client_token"])


@case("role: batch tokens")
def _(s):
    with mounted(s):
        s.post(ROLE, NAMES | {"audience": "vault", "token_type": "batch"})
        s.post(ROLE, {"token_type": "batch", "token_period": 60})
