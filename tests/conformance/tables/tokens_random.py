# SPDX-License-Identifier: Apache-2.0
"""Random sequences of requests about tokens: who makes whom by which role, with what life, and what is left when some are renewed, used up or
revoked. The seed is in each case's title."""
import random

from play import case
from tables._random import SEED

SEQUENCES, STEPS = 12, 90
MINIMUM = SEQUENCES * STEPS
POLICIES = ("default", "plain", "sud", "a", "b", "nobody")
TEXT = {"plain": 'path "auth/token/*" { capabilities = ["create", "read", "update", "delete", "list"] }\npath "sys/capabilities*" { capabilities = ["update"] }',
        "sud": 'path "auth/token/*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }\npath "identity/*" { capabilities = ["read"] }',
        "a": 'path "secret/*" { capabilities = ["read", "list"] }', "b": 'path "cubbyhole/*" { capabilities = ["deny"] }'}
TTLS = ("1h", "2h", 7200, "90m", "10h", "0", "", "800h")
ROLES = ("r0", "r1", "r2")


def some(r, values, most=3):
    return r.sample(values, r.randrange(most + 1))


def token_fields(r):
    pool = {"policies": lambda: some(r, POLICIES), "ttl": lambda: r.choice(TTLS), "explicit_max_ttl": lambda: r.choice(TTLS[:5]), "period": lambda: r.choice(("1h", "2h", "0")),
            "num_uses": lambda: r.choice((0, 3, 4, 6)), "no_parent": lambda: r.random() < 0.5, "no_default_policy": lambda: r.random() < 0.5,
            "renewable": lambda: r.random() < 0.5, "type": lambda: r.choice(("service", "batch", "service")), "meta": lambda: r.choice(({}, {"a": "b"}, None)),
            "display_name": lambda: r.choice(("x", "a b", ""))}
    fields = {name: make() for name, make in pool.items() if r.random() < (0.6 if name == "policies" else 0.2)}
    if r.random() < 0.05:
        fields[r.choice(("ttl", "period", "num_uses", "type"))] = "wrong"
    return fields


def role_fields(r):
    pool = {"allowed_policies": lambda: some(r, POLICIES), "disallowed_policies": lambda: some(r, POLICIES, 2), "orphan": lambda: r.random() < 0.5,
            "renewable": lambda: r.random() < 0.5, "token_period": lambda: r.choice(("1h", "0", "3h")), "token_explicit_max_ttl": lambda: r.choice(("1h", "4h", "0")),
            "token_type": lambda: r.choice(("service", "batch", "default-service", "default-batch", "default")), "token_num_uses": lambda: r.choice((0, 3, 5)),
            "token_bound_cidrs": lambda: r.choice(([], ["127.0.0.0/8"], ["10.0.0.0/8"])), "allowed_policies_glob": lambda: some(r, ("*", "a*", "p*in"), 1),
            "disallowed_policies_glob": lambda: some(r, ("s*", "no*"), 1), "token_no_default_policy": lambda: r.random() < 0.5, "path_suffix": lambda: r.choice(("", "suffix")),
            "allowed_entity_aliases": lambda: some(r, ("one", "two", "t*"), 2)}
    return {name: make() for name, make in pool.items() if r.random() < 0.3}


class Tokens:
    """Those of a sequence: the root's, and what was made, dead or alive."""

    def __init__(self, s, r):
        self.s, self.r, self.made = s, r, []

    def any(self):
        return self.r.choice(self.made) if self.made and self.r.random() < 0.95 else {"client_token": "hvs.nobody", "accessor": "nobody"}

    def caller(self):
        return self.r.choice(self.made)["client_token"] if self.made and self.r.random() < 0.6 else "root"

    def create(self):
        path, fields = "auth/token/create", token_fields(self.r)
        kind = self.r.random()
        if kind < 0.3:
            path += "/" + self.r.choice(ROLES)
            fields.pop("explicit_max_ttl", None)  # the difference renewal-limits
            if self.r.random() < 0.3:
                fields["entity_alias"] = self.r.choice(("one", "two", "three"))
                fields["policies"] = fields.get("policies") or ["a"]  # else it may be root: the difference root-with-entity
        elif kind < 0.4:
            path += "-orphan"
        reply = self.s.post(path, fields, token=self.caller())
        if reply.status == 200:
            self.made.append(reply["auth"])
            self.s.post("auth/token/lookup", {"token": reply["auth"]["client_token"]})

    def step(self):
        s, r, one = self.s, self.r, self.any()
        action = r.choices(("create", "role", "lookup", "renew", "revoke", "use", "capabilities", "orphans"), (30, 8, 14, 16, 8, 12, 8, 3))[0]
        if action == "create":
            self.create()
        elif action == "role":
            name = r.choice(ROLES)
            if r.random() < 0.15:
                s.delete(f"auth/token/roles/{name}")
            else:
                s.post(f"auth/token/roles/{name}", role_fields(r))
            s.get(f"auth/token/roles/{name}")
        elif action == "lookup":
            if r.random() < 0.5:
                s.post("auth/token/lookup", {"token": one["client_token"]}, token=self.caller())
            else:
                s.post("auth/token/lookup-accessor", {"accessor": one["accessor"]}, token=self.caller())
        elif action == "renew":
            body = {"increment": r.choice(TTLS)} if r.random() < 0.6 else {}
            how = r.randrange(3)
            if how == 0:
                s.post("auth/token/renew", {"token": one["client_token"]} | body, token=self.caller())
            elif how == 1:
                s.post("auth/token/renew-self", body, token=one["client_token"])
            else:
                s.post("auth/token/renew-accessor", {"accessor": one["accessor"]} | body)
        elif action == "revoke":
            how = r.randrange(4)
            if how == 0:
                s.post("auth/token/revoke", {"token": one["client_token"]}, token=self.caller())
            elif how == 1:
                s.post("auth/token/revoke-self", {}, token=one["client_token"])
            elif how == 2:
                s.post("auth/token/revoke-accessor", {"accessor": one["accessor"]})
            else:
                s.post("auth/token/revoke-orphan", {"token": one["client_token"]}, token=self.caller())
        elif action == "use":
            s.request(r.choice(("GET", "LIST")), r.choice(("auth/token/lookup-self", "cubbyhole/x", "secret/data/x", "auth/token/roles")), token=one["client_token"])
        elif action == "capabilities":
            paths = ["auth/token/create", "secret/data/x", "cubbyhole/y", "sys/mounts"]
            if r.random() < 0.5:
                s.post("sys/capabilities", {"token": one["client_token"], "paths": paths}, token=self.caller())
            else:
                s.post("sys/capabilities-accessor", {"accessor": one["accessor"], "paths": paths})
        else:
            listed = s.list("auth/token/accessors")["data"]["keys"]
            s.records.pop()  # in an order of its own
            s.note("accessors", [each["accessor"] in listed for each in self.made])


def sequence(number):
    @case(f"seed {SEED}, sequence {number}")
    def _(s):
        r = random.Random(f"{SEED}/{number}")
        for name, text in TEXT.items():
            s.put(f"sys/policies/acl/{name}", {"policy": text})
        for name in ROLES:
            s.post(f"auth/token/roles/{name}", role_fields(r))
        accessor = s.get("sys/auth")["data"]["token/"]["accessor"]
        one = s.post("identity/entity", {"name": "one", "policies": some(r, POLICIES[1:])}).json
        if one:
            one = one["data"]["id"]
            s.post("identity/entity-alias", {"name": "one", "mount_accessor": accessor, "canonical_id": one})
            s.post("identity/group", {"name": "group", "member_entity_ids": one, "policies": some(r, POLICIES[1:])})
        tokens = Tokens(s, r)
        for _ in range(STEPS):
            tokens.step()
        for each in tokens.made:
            s.post("auth/token/lookup-accessor", {"accessor": each["accessor"]})
            s.post("auth/token/revoke-accessor", {"accessor": each["accessor"]})
        s.delete("identity/entity/name/one")
        s.delete("identity/group/name/group")
        for name in ROLES:
            s.delete(f"auth/token/roles/{name}")


for number in range(SEQUENCES):
    sequence(number)
