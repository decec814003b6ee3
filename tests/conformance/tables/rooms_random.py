# SPDX-License-Identifier: Apache-2.0
"""Random sequences through all rooms at once: accounts log in, tokens make tokens, and policies, entities and groups that change meanwhile
decide what they may do with secrets, wrapped answers, leases and mounts. The seed is in each case's title."""
import json
import random

from fakeapi import REVIEWS, jwt
from play import case
from tables._identity import account, clean, review_as_claimed
from tables._random import SEED

SEQUENCES, STEPS = 10, 110
MINIMUM = SEQUENCES * STEPS
POLICIES = ("p0", "p1", "p2", "p3")
ACCOUNTS = [account(space, name, f"uid-{space}-{name}") for space in ("red", "blue") for name in ("web", "db")]
ROLES, GROUPS, NAMES = ("r0", "r1", "r2"), ("g0", "g1", "g2"), ("web", "db", "Other")
KEYS = ("a", "a/b", "red/x", "blue/x", "web/x")
TTLS = ("1h", "2h", 5400, "0", "900h")
WRAPS = ("60s", "300", "2h")
LABELS = ("kv1/*", "kv1/a", "kv1/+", "kv1/+/b", "kv1/a/*", "kv1/red/+", "kv2/data/*", "kv2/+/a", "kv2/metadata/*", "kv2/*", "kv2/+/+/x", "+/data/a", "auth/token/*",
          "auth/token/create", "auth/token/lookup", "auth/+/role/*", "identity/*", "identity/entity/name/+", "identity/group/*", "sys/*", "sys/mounts", "sys/mounts/*", "sys/auth/*",
          "sys/leases/*", "sys/policies/acl/*", "sys/policies/acl/p0", "sys/capabilities*", "sys/wrapping/*", "sys/wrapping/unwrap", "cubbyhole/*", "cubbyhole/x", "*",
          "kv1/{{identity.entity.name}}/*", "kv2/data/{{identity.entity.name}}/x", "kv1/{{identity.entity.aliases.ACCESSOR.metadata.service_account_namespace}}/*",
          "kv2/data/{{identity.entity.aliases.ACCESSOR.metadata.service_account_namespace}}/x", "kv1/{{identity.entity.metadata.team}}/*",
          "kv1/{{identity.groups.names.g0.metadata.team}}/x", "kv2/+/{{identity.groups.names.g1.name}}/x")
CAPABILITIES = ("create", "read", "update", "delete", "list", "patch", "sudo", "deny")
WEIGHTS = (8, 10, 8, 5, 6, 3, 3, 1)
PATHS = tuple(f"kv1/{key}" for key in KEYS) + tuple(f"kv2/data/{key}" for key in KEYS) + (
    "kv1/", "kv2/metadata/", "kv2/metadata/a", "auth/token/create", "auth/token/revoke", "identity/entity/name/web", "identity/group/name/g0", "sys/mounts", "sys/mounts/kv1",
    "sys/auth/kubernetes", "sys/policies/acl/p0", "sys/leases/revoke-prefix/auth", "sys/wrapping/wrap", "cubbyhole/x", "cubbyhole/y/z")


def some(r, values, most):
    return r.sample(values, r.randrange(min(most, len(values)) + 1))


def rule(r, accessor):
    lines = [f"capabilities = {json.dumps(sorted(set(r.choices(CAPABILITIES, WEIGHTS, k=r.choice((1, 3, 5, 6))))))}"]
    extra = r.random()
    if extra < 0.06:
        lines.append('denied_parameters = { "value" = ["bad*"] }')
    elif extra < 0.1:
        lines.append('allowed_parameters = { "value" = [], "data" = [] }')
    elif extra < 0.13:
        lines.append('required_parameters = ["value"]')
    elif extra < 0.18:
        lines.append(r.choice(('min_wrapping_ttl = "100s"', 'max_wrapping_ttl = "200s"')))
    return f"path {json.dumps(r.choice(LABELS).replace('ACCESSOR', accessor))} {{ {' '.join(lines)} }}".replace("] allowed", "]\n allowed").replace(
        "] denied", "]\n denied").replace("] required", "]\n required").replace("] m", "]\n m")


def policy(r, accessor):
    return "\n".join(rule(r, accessor) for _ in range(r.choice((2, 4, 6, 9))))


def role_fields(r):
    fields = {"bound_service_account_names": "*", "bound_service_account_namespaces": r.choice(("*", "*", "red")), "audience": "vault",
              "token_policies": some(r, POLICIES, 3), "token_ttl": r.choice(("1h", "2h"))}
    for name, values in (("token_type", ("batch", "service", "default")), ("token_num_uses", (3, 5)), ("token_period", ("1h", "3h")), ("token_explicit_max_ttl", ("3h",)),
                         ("token_bound_cidrs", (["127.0.0.0/8"], ["10.0.0.0/8"])), ("token_no_default_policy", (True,)), ("alias_name_source", ("serviceaccount_name",))):
        if r.random() < 0.15 and not (name in ("token_num_uses", "token_period") and fields.get("token_type") == "batch"):
            fields[name] = r.choice(values)
    return fields


def token_fields(r):
    pool = {"policies": lambda: some(r, POLICIES, 3), "ttl": lambda: r.choice(TTLS), "explicit_max_ttl": lambda: r.choice(("1h", "3h")), "period": lambda: "2h",
            "num_uses": lambda: r.choice((2, 4)), "no_parent": lambda: True, "no_default_policy": lambda: True, "renewable": lambda: False,
            "type": lambda: r.choice(("service", "batch")), "meta": lambda: {"a": "b"}, "display_name": lambda: "x y"}
    return {name: make() for name, make in pool.items() if r.random() < (0.7 if name == "policies" else 0.12)}


class Token:
    def __init__(self, auth):
        self.id, self.accessor, self.entity = auth["client_token"], auth["accessor"], auth["entity_id"]
        self.limited = auth["num_uses"] > 0


class Rooms:
    """What a sequence has made so far, dead or alive."""

    def __init__(self, s, r):
        self.s, self.r = s, r
        self.tokens, self.entities, self.groups, self.aliases, self.wrapping = [], [], [], [], []
        s.api.answers[REVIEWS] = review_as_claimed
        for path in ("sys/mounts/kv1", "sys/mounts/kv2", "sys/mounts/moved", *(f"sys/policies/acl/{name}" for name in POLICIES)):
            s.delete(path)
        clean(s)  # what another sequence has left
        s.post("sys/auth/kubernetes", {"type": "kubernetes"})
        s.post("auth/kubernetes/config", {"kubernetes_host": s.api.host, "kubernetes_ca_cert": s.api.ca, "token_reviewer_jwt": "reviewer"})
        self.accessor = s.get("sys/auth/kubernetes")["data"]["accessor"]
        for version in (1, 2):
            self.mount(version)
        for name in POLICIES:
            s.put(f"sys/policies/acl/{name}", {"policy": policy(r, self.accessor)})
        for name in ROLES:
            s.post(f"auth/kubernetes/role/{name}", role_fields(r))
        for name in GROUPS:
            self.kept(self.groups, s.post("identity/group", {"name": name, "metadata": {"team": r.choice(("red", "blue"))}, "policies": some(r, POLICIES, 1)}))

    def kept(self, ids, reply):
        if reply.status == 200 and reply.json.get("data"):
            ids.append(reply["data"]["id"])

    def mount(self, version):
        self.s.post(f"sys/mounts/kv{version}", {"type": "kv", "options": {"version": str(version)}})
        if version == 2:
            self.s.wait_for("kv2/metadata")

    # --- asking

    def ask(self, method, path, data=None, token=None, wrap=None):
        """As TOKEN; None: root. What is wrapped is kept."""
        headers = {"X-Vault-Wrap-TTL": wrap} if wrap else {}
        if method == "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
        reply = self.s.request(method, path, data, token=token.id if token else "root", headers=headers)
        self.unordered()
        wrap_info = reply.json.get("wrap_info") if reply.json else None
        if wrap_info and (not path.endswith("rewrap") or wrap_info["creation_path"].startswith("sys/")):  # else it is the difference rewrapped-mount
            self.wrapping.append(wrap_info["token"])
        if token and token.limited:
            self.s.until(lambda: self.used(token))
        return reply

    def unordered(self):
        """Several ids, or aliases, of the answer become their number: their order is that of random ids. What is left of a life hangs on
        how long the sequence takes."""
        data = (self.s.records[-1][1]["body"] or {}).get("data") if isinstance(self.s.records[-1][1]["body"], dict) else None
        if data:
            data.pop("ttl", None)
        for name in data or ():
            if name == "aliases" or (isinstance(data[name], list) and len(data[name]) > 1 and all(str(one).startswith("<uuid") for one in data[name])):
                data[name] = len(data[name] or ())

    def used(self, token):
        """Whether what the last use of TOKEN ends has ended: Vault does it in the background."""
        reply = self.s.post("auth/token/lookup-accessor", {"accessor": token.accessor})
        return reply.status != 200 or reply["data"]["num_uses"] > 0

    def any(self):
        return self.r.choice(self.tokens) if self.tokens else None

    def caller(self):
        return self.any() if self.r.random() < 0.7 else None

    def entity(self):
        return self.r.choice(self.entities) if self.entities else "nobody"

    def took(self, reply):
        """REPLY may have made a token."""
        if reply.status == 200 and reply.json.get("auth"):
            self.tokens.append(Token(reply["auth"]))
            entity = self.tokens[-1].entity
            if entity and entity not in self.entities:
                self.entities.append(entity)
                seen = self.ask("GET", f"identity/entity/id/{entity}").json.get("data") or {"aliases": ()}  # it may be gone since
                self.aliases += [alias["id"] for alias in seen["aliases"]]

    # --- what may happen

    def login(self):
        wrap = self.r.choice(WRAPS) if self.r.random() < 0.1 else None
        headers = {"X-Vault-Wrap-TTL": wrap} if wrap else {}
        reply = self.s.post("auth/kubernetes/login", {"role": self.r.choice(ROLES), "jwt": jwt(**self.r.choice(ACCOUNTS))}, token=None, headers=headers)
        if wrap and reply.status == 200:
            self.wrapping.append(reply["wrap_info"]["token"])
        else:
            self.took(reply)

    def create(self):
        self.took(self.ask("POST", self.r.choice(("auth/token/create", "auth/token/create", "auth/token/create-orphan")), token_fields(self.r), self.caller()))

    def use(self):
        r, key = self.r, self.r.choice(KEYS)
        method, path, data = r.choice((("GET", f"kv1/{key}", None), ("POST", f"kv1/{key}", {"value": r.choice(("good", "bad", 5))}), ("LIST", "kv1/" + r.choice(("", "a", "red")), None),
                                       ("DELETE", f"kv1/{key}", None), ("GET", f"kv2/data/{key}", None), ("POST", f"kv2/data/{key}", {"data": {"value": "x"}}),
                                       ("PATCH", f"kv2/data/{key}", {"data": {"more": "y"}}), ("LIST", "kv2/metadata", None), ("GET", f"kv2/metadata/{key}", None),
                                       ("DELETE", f"kv2/data/{key}", None), ("POST", f"kv2/metadata/{key}", {"max_versions": 3}), ("DELETE", f"kv2/metadata/{key}", None)))
        self.ask(method, path, data, self.any(), r.choice(WRAPS) if r.random() < 0.15 else None)

    def cubbyhole(self):
        method, path, data = self.r.choice((("GET", "x", None), ("POST", "x", {"value": "v"}), ("POST", "y/z", {"value": "w"}), ("LIST", "", None), ("LIST", "y", None), ("DELETE", "x", None)))
        self.ask(method, "cubbyhole/" + path, data, self.any())

    def look(self):
        one, r = self.any(), self.r
        method, path, data = r.choice((("GET", "auth/token/lookup-self", None), ("GET", "sys/internal/ui/resultant-acl", None), ("GET", "auth/kubernetes/role/r0", None),
                                       ("POST", "auth/token/lookup", {"token": one.id}), ("POST", "auth/token/lookup-accessor", {"accessor": one.accessor}),
                                       ("GET", "sys/policies/acl/p0", None), ("GET", "sys/mounts/kv1", None), ("GET", "identity/entity/name/web", None),
                                       ("GET", "sys/internal/ui/mounts/kv1/a", None), ("GET", "identity/group/name/g0", None)) if one else (("GET", "sys/mounts/kv1", None),))
        self.ask(method, path, data, self.caller(), r.choice(WRAPS) if r.random() < 0.1 else None)

    def capabilities(self):
        one, paths = self.any(), self.r.sample(PATHS, 8)
        if not one:
            return
        path, data = self.r.choice((("sys/capabilities-self", {}), ("sys/capabilities", {"token": one.id}), ("sys/capabilities-accessor", {"accessor": one.accessor})))
        self.ask("POST", path, data | {"paths": paths}, one if path.endswith("self") else None)

    def renew(self):
        one = self.any()
        if one:
            body = {"increment": self.r.choice(TTLS)} if self.r.random() < 0.5 else {}
            path, data, token = self.r.choice((("renew-self", {}, one), ("renew", {"token": one.id}, self.caller()), ("renew-accessor", {"accessor": one.accessor}, None)))
            self.ask("POST", "auth/token/" + path, data | body, token)

    def revoke(self):
        one = self.any()
        if one:
            path, data, token = self.r.choice((("revoke-self", {}, one), ("revoke", {"token": one.id}, self.caller()), ("revoke-accessor", {"accessor": one.accessor}, self.caller()),
                                               ("revoke-orphan", {"token": one.id}, self.caller())))
            self.ask("POST", "auth/token/" + path, data, token)

    def wrapped(self):
        if not self.wrapping:
            return
        token, how, caller = self.r.choice(self.wrapping), self.r.choice(("unwrap", "unwrap", "lookup", "rewrap")), self.caller()
        if self.r.random() < 0.5:
            reply = self.ask("POST", "sys/wrapping/" + how, {"token": token}, caller)
        else:
            reply = self.s.post("sys/wrapping/" + how, {}, token=token)
            if how != "lookup":
                self.s.until(lambda: self.s.post("sys/wrapping/lookup", {"token": token}).status != 200)  # it has been used
        if how == "unwrap":
            self.took(reply)

    def wrap(self):
        self.ask("POST", "sys/wrapping/wrap", {"value": "good", "n": [1, {}]}, self.caller(), self.r.choice(WRAPS))

    def policy(self):
        name = self.r.choice(POLICIES)
        if self.r.random() < 0.85:
            self.ask("PUT", f"sys/policies/acl/{name}", {"policy": policy(self.r, self.accessor)}, None if self.r.random() < 0.8 else self.any())
        else:
            self.ask("DELETE", f"sys/policies/acl/{name}")

    def change_entity(self):
        r, entity = self.r, self.entity()
        body = {name: make() for name, make in {"policies": lambda: some(r, POLICIES, 2), "metadata": lambda: {"team": r.choice(("red", "blue"))},
                                                "disabled": lambda: r.random() < 0.3, "name": lambda: r.choice(NAMES)}.items() if r.random() < 0.4}
        if r.random() < 0.1:
            self.kept(self.entities, self.ask("POST", "identity/entity", body))
        elif r.random() < 0.08:
            self.ask("DELETE", f"identity/entity/id/{entity}")
            self.entities = [one for one in self.entities if one != entity]
        else:
            self.ask("POST", f"identity/entity/id/{entity}", body, None if r.random() < 0.8 else self.any())

    def merge(self):
        if len(self.entities) < 2:
            return
        here, there = self.r.sample(self.entities, 2)
        seen = [(self.ask("GET", f"identity/entity/id/{one}").json.get("data") or {}).get("aliases") for one in (here, there)]
        if not all(seen):  # else it is the difference merge-clash-data
            self.ask("POST", "identity/entity/merge", {"from_entity_ids": [here], "to_entity_id": there})
            self.entities.remove(here)

    def change_group(self):
        """What is refused is the business of the table groups: Vault keeps a part of it."""
        r, group = self.r, self.r.randrange(len(self.groups))
        body = {name: make() for name, make in {"policies": lambda: some(r, POLICIES, 2), "metadata": lambda: {"team": r.choice(("red", "blue"))},
                                                "member_entity_ids": lambda: some(r, self.entities, 3),
                                                "member_group_ids": lambda: some(r, self.groups[:group], 2)}.items() if r.random() < 0.5}
        self.ask("POST", f"identity/group/id/{self.groups[group]}", body, None if r.random() < 0.8 else self.any())

    def change_alias(self):
        if not self.aliases:
            return
        alias, r = self.r.choice(self.aliases), self.r.random()
        if r < 0.5:
            self.ask("POST", f"identity/entity-alias/id/{alias}", {"custom_metadata": {"zone": "east"}} | ({"canonical_id": self.entity()} if r < 0.25 else {}))
        elif r < 0.6:
            self.ask("DELETE", f"identity/entity-alias/id/{alias}")
        else:
            self.ask("GET", f"identity/entity-alias/id/{alias}")

    def role(self):
        self.ask("POST", f"auth/kubernetes/role/{self.r.choice(ROLES)}", role_fields(self.r), self.caller())

    def mounts(self):
        what, s = self.r.random(), self.s
        if what < 0.25:
            reply = self.ask("DELETE", "sys/mounts/kv1", token=self.caller())
            if reply.status == 204:
                self.mount(1)
        elif what < 0.5:
            self.ask("POST", "sys/mounts/auth/kubernetes/tune", {"max_lease_ttl": self.r.choice(("90m", "4h", "768h")), "default_lease_ttl": "1h",
                                                                 "token_type": self.r.choice(("default-service", "default-batch", "service"))}, self.caller())
        elif what < 0.65 and s.wait_moved(self.ask("POST", "sys/remount", {"from": "kv1", "to": "moved"})):
            self.ask("GET", "moved/a", None, self.any())
            s.wait_moved(self.ask("POST", "sys/remount", {"from": "moved", "to": "kv1"}))
        else:
            self.ask(*self.r.choice((("GET", "sys/auth"), ("GET", "sys/audit"), ("GET", "sys/auth/kubernetes/tune"), ("POST", "sys/rotate"), ("LIST", "sys/leases/lookup/kv1"),
                                     ("GET", "sys/config/auditing/request-headers"), ("GET", "sys/remount"))), token=self.caller())

    def leases(self):
        prefix = self.r.choice(("auth/kubernetes", "auth/kubernetes/login", "auth/token/create-orphan", "kv1"))  # not what root was made by
        if self.r.random() < 0.4:
            self.ask("PUT", f"sys/leases/revoke-{self.r.choice(('prefix', 'force'))}/{prefix}", {}, self.caller())
        listed = self.s.list(f"sys/leases/lookup/{prefix}")
        self.s.records.pop()  # the order is that of hashes
        self.s.note(f"leases below {prefix}", [listed.status, len((listed.json.get("data") or {}).get("keys", []))])

    ACTIONS = {"login": 12, "create": 12, "use": 22, "cubbyhole": 4, "look": 10, "capabilities": 14, "renew": 6, "revoke": 4, "wrapped": 7, "wrap": 2, "policy": 6, "change_entity": 7,
               "merge": 2, "change_group": 6, "change_alias": 3, "role": 3, "mounts": 3, "leases": 2}

    def step(self):
        getattr(self, self.r.choices(tuple(self.ACTIONS), tuple(self.ACTIONS.values()))[0])()

    def end(self):
        """What is left of it all."""
        for one in self.tokens:
            self.ask("POST", "auth/token/lookup-accessor", {"accessor": one.accessor})
            self.s.post("sys/capabilities-accessor", {"accessor": one.accessor, "paths": list(PATHS)})
            self.s.post("auth/token/revoke-accessor", {"accessor": one.accessor})


def sequence(number):
    @case(f"seed {SEED}, sequence {number}")
    def _(s):
        rooms = Rooms(s, random.Random(f"{SEED}/{number}"))
        for _ in range(STEPS):
            rooms.step()
        rooms.end()


for number in range(SEQUENCES):
    sequence(number)
