# SPDX-License-Identifier: Apache-2.0
"""Keys of the barrier: sys/rotate, sys/rotate/config, sys/key-status."""
from play import case

MINIMUM = 60


def term(s):
    """How much was sealed depends on everything before."""
    s.get("sys/key-status")
    body = s.records[-1][1]["body"]
    for part in (body, body["data"]):
        part["encryptions"] = part["encryptions"] >= 0
    s.note("term", body["term"])


def limited(s, name, rules):
    s.put(f"sys/policies/acl/{name}", {"policy": rules})
    return s.post("auth/token/create", {"policies": [name]})["auth"]["client_token"]


@case("rotate: a new term, what older ones sealed, who may")
def _(s):
    s.post("cubbyhole/before", {"a": "1"})
    term(s)
    for body in (None, {"a": 1}):
        s.put("sys/rotate", body)
        term(s)
    s.get("cubbyhole/before")
    s.post("cubbyhole/after", {"a": "2"})
    s.get("cubbyhole/after")
    s.post("sys/rotate")
    term(s)
    s.get("sys/rotate")
    s.delete("sys/rotate")
    s.list("sys/rotate")
    s.put("sys/rotate", token=None)
    s.put("sys/rotate", token=limited(s, "update", 'path "sys/rotate" { capabilities = ["update"] }'))
    s.put("sys/rotate", token=limited(s, "sudo", 'path "sys/rotate" { capabilities = ["sudo"] }'))
    s.put("sys/rotate", token=limited(s, "both", 'path "sys/rotate" { capabilities = ["update", "sudo"] }'))
    term(s)


@case("rotate: when a new term comes by itself")
def _(s):
    s.get("sys/rotate/config")
    for method in (s.delete, s.list, s.patch):
        method("sys/rotate/config")
    for body in ({}, {"max_operations": 5}, {"max_operations": 999999}, {"max_operations": 1000000}, {"max_operations": "2000000"},
                 {"max_operations": 3865470566}, {"max_operations": 3865470567}, {"max_operations": 4294967296}, {"max_operations": -1},
                 {"max_operations": 0}, {"max_operations": "x"}, {"max_operations": None}, {"interval": "1h"}, {"interval": "24h"},
                 {"interval": "23h59m59s"}, {"interval": 86400}, {"interval": "0"}, {"interval": "48h", "enabled": False},
                 {"enabled": "x"}, {"interval": -1}, {"interval": "x"}, {"interval": "36h30m"}, {"interval": None},
                 {"bogus": 1}, {"max_operations": 1, "interval": "1h"}, {"enabled": True, "interval": "1h"}):
        s.post("sys/rotate/config", body)
        s.get("sys/rotate/config")
    rules = 'path "sys/rotate/config" { capabilities = ["read", "update"%s] }'
    for name, more in (("plain", ""), ("sudo", ', "sudo"')):
        token = limited(s, name, rules % more)
        s.get("sys/rotate/config", token=token)
        s.post("sys/rotate/config", {"interval": "25h"}, token=token)
    s.post("sys/rotate/config", {"enabled": True})
    with s.differs("rotation-enabled", "body.data.enabled"):
        s.get("sys/rotate/config")
    s.get("sys/rotate/config", token=None)
