# SPDX-License-Identifier: Apache-2.0
"""Parameters that a path does not know, above all of lists: an empty one is an answer where there is something to warn about."""
from play import case
from tables._identity import mount

MINIMUM = 130
LISTS = ("identity/entity/id", "identity/entity/name", "identity/entity-alias/id", "identity/alias/id", "identity/persona/id", "identity/group/id", "identity/group/name",
         "identity/group-alias/id", "auth/kubernetes/role", "auth/token/roles", "secret/metadata/none", "cubbyhole", "one", "sys/quotas/rate-limit", "sys/leases/lookup/none",
         "sys/policies/acl", "sys/policy", "secret/metadata")


def ask(s):
    for path in LISTS:
        for method, query in (("LIST", ""), ("GET", "?name=z"), ("LIST", "?x=1"), ("GET", "/?y=1&list=true&x=2"), ("LIST", "?path=z&name=z&id=z&type=z&prefix=z")):
            s.request(method, path + query)
        s.request("LIST", path + "?x=1", headers={"X-Vault-Wrap-TTL": "60s"})


@case("lists")
def _(s):
    s.post("sys/mounts/one", {"type": "kv"})
    s.post("sys/auth/kubernetes", {"type": "kubernetes"})
    ask(s)
    accessor = mount(s)
    entity = s.post("identity/entity", {"name": "e"})["data"]["id"]
    s.post("identity/entity-alias", {"name": "a", "mount_accessor": accessor, "canonical_id": entity})
    s.post("identity/group", {"name": "g"})
    s.post("auth/token/roles/r", {})
    s.post("secret/data/none/a", {"data": {}})
    s.post("cubbyhole/a", {"a": 1})
    s.post("one/a", {"a": 1})
    ask(s)
    accessors = s.list("auth/token/accessors?x=1")
    s.records.pop()
    s.note("accessors", accessors["warnings"])


@case("a write")
def _(s):
    s.post("auth/token/tidy", {"x": 1})


@case("a path that is written to only, with a slash")
def _(s):
    for path in ("identity/entity/merge", "identity/entity/batch-delete", "identity/lookup/entity", "identity/lookup/group", "identity/entity", "identity/group-alias"):
        for method in ("GET", "LIST", "POST", "DELETE"):
            s.request(method, path + "/")
