# SPDX-License-Identifier: Apache-2.0
"""Entities and aliases: what logins make, what identity/ shows and changes, and what becomes of the tokens."""
from fakeapi import REVIEWS, UID, jwt, review
from play import case
from tables._identity import ALIAS, ENTITY, LOOKUP, account, clean, login, mount

MINIMUM = 600
@case("a login makes an entity with one alias")
def _(s):
    accessor = mount(s)
    token, entity = login(s)
    again, same = login(s)
    assert entity == same
    s.get("auth/token/lookup-self", token=token)
    s.post("auth/token/renew-self", {}, token=token)
    seen = s.get(f"{ENTITY}/id/{entity}")["data"]
    name, alias = seen["name"], seen["aliases"][0]["id"]
    for path in (f"{ENTITY}/name/{name}", f"{ENTITY}/name/{name.upper()}", f"{ENTITY}/name/nobody", f"{ENTITY}/id/nobody", f"{ENTITY}/id/{entity.upper()}",
                 f"{ALIAS}/id/{alias}", f"{ALIAS}/id/nobody", f"identity/alias/id/{alias}", f"identity/persona/id/{alias}",
                 ENTITY, f"{ENTITY}/id", f"{ENTITY}/name", f"{ENTITY}/name/", ALIAS, f"{ALIAS}/id", LOOKUP, f"{ENTITY}/id/a%20b", "identity/nothing", "identity",
                 f"{ENTITY}/self", f"{ENTITY}/id?list=true", f"{ENTITY}/name?list=1", f"{ALIAS}/id?list=true", f"{ENTITY}/id/{entity}?x=1"):
        s.get(path)
    for path in (ENTITY, f"{ENTITY}/id", f"{ENTITY}/name", ALIAS, f"{ALIAS}/id", "identity/alias/id", "identity/persona/id", "identity", LOOKUP):
        s.list(path)
    for asked in ({}, {"id": entity}, {"name": name}, {"name": name.upper()}, {"alias_id": alias}, {"alias_name": "x"}, {"alias_mount_accessor": accessor},
                  {"alias_name": UID, "alias_mount_accessor": accessor}, {"alias_name": UID.upper(), "alias_mount_accessor": accessor},
                  {"id": "x"}, {"name": "x"}, {"alias_id": "x"}, {"alias_name": "x", "alias_mount_accessor": accessor}, {"alias_name": UID, "alias_mount_accessor": "x"},
                  {"id": entity, "name": name}, {"id": entity, "alias_name": UID, "alias_mount_accessor": accessor}, {"id": entity, "alias_name": "x"},
                  {"id": "", "name": ""}, {"name": ["x"]}, {"id": entity, "foo": 1}):
        s.post(LOOKUP, asked)
    s.post("identity/lookup/entity-alias", {"id": alias})
    # Its own, by the policy default; and nobody else's.
    other, stranger = login(s, **account("ns2", "sa2", "u2"))
    for path in (f"{ENTITY}/id/{entity}", f"{ENTITY}/name/{name}", f"{ENTITY}/id/{stranger}", f"{ALIAS}/id/{alias}"):
        s.get(path, token=token)
    s.list(f"{ENTITY}/id", token=token)
    s.post(f"{ENTITY}/id/{entity}", {"policies": "x"}, token=token)
    s.post("sys/capabilities-self", {"paths": [f"{ENTITY}/id/{entity}", f"{ENTITY}/name/{name}", f"{ENTITY}/id/{stranger}"]}, token=token)
    clean(s)


@case("the alias follows the login: another name, uid or secret of the account")
def _(s):
    mount(s, alias_name_source="serviceaccount_name")
    token, entity = login(s)
    s.get(f"{ENTITY}/id/{entity}")
    _, same = login(s, **account("webapp-ns", "webapp-sa", "recreated"))
    assert entity == same
    s.get(f"{ENTITY}/id/{entity}")
    flat = {"kubernetes.io": None, "kubernetes.io/serviceaccount/namespace": "webapp-ns", "kubernetes.io/serviceaccount/service-account.name": "webapp-sa",
            "kubernetes.io/serviceaccount/service-account.uid": "flat", "kubernetes.io/serviceaccount/secret.name": "its-secret"}
    s.api.answers[REVIEWS] = lambda method, path, asked: (201, review(asked, user={"username": "system:serviceaccount:webapp-ns:webapp-sa", "uid": "flat"}))
    s.post("auth/kubernetes/login", {"role": "r", "jwt": jwt(**flat)}, token=None)
    s.get(f"{ENTITY}/id/{entity}")
    # The same names at another mount are somebody else.
    mount(s, "other", alias_name_source="serviceaccount_name")
    _, stranger = login(s, "other")
    assert stranger != entity
    s.get(f"{ENTITY}/id/{stranger}")
    s.post("auth/kubernetes/role/r", {"alias_name_source": "serviceaccount_uid"})
    _, by_uid = login(s)
    assert by_uid != entity
    s.get(f"{ENTITY}/id/{by_uid}")
    clean(s)


@case("annotations of the service account become metadata of the alias")
def _(s):
    prefix, asked = "vault.hashicorp.com/alias-metadata-", "/api/v1/namespaces/webapp-ns/serviceaccounts/webapp-sa"
    config = {"kubernetes_host": s.api.host, "kubernetes_ca_cert": s.api.ca, "token_reviewer_jwt": "reviewer", "use_annotations_as_alias_metadata": True}
    mount(s)
    s.post("auth/kubernetes/config", config)

    def try_with(status, answer):
        s.api.answers[asked] = (status, answer)
        reply = s.post("auth/kubernetes/login", {"role": "r", "jwt": jwt()}, token=None)
        if reply.status == 200:
            s.get(f"{ENTITY}/id/{reply['auth']['entity_id']}")

    def annotated(annotations):
        try_with(200, {"kind": "ServiceAccount", "metadata": {"name": "webapp-sa", "annotations": annotations}})

    annotated({prefix + "team": "red", "other": "x", prefix + "a/b": "c"})
    token, _ = login(s)
    s.get("auth/token/lookup-self", token=token)
    for annotations in ({prefix: "x"}, {prefix + "e": ""}, None, {}, {prefix + "a.b c*": "*"}, {prefix.upper() + "A": "x"}, {prefix + "\u00e9": "\u00fc\n"},
                        {prefix + str(i): "x" for i in range(70)}, {prefix + "k" * 300: "v" * 3000}, {prefix + "service_account_uid": "x"},
                        {prefix + "service_account_secret_name": "x"}, {prefix + "role": "x"}):
        annotated(annotations)
    for status, answer in ((200, {"metadata": {}}), (200, {}), (404, {"kind": "Status", "message": 'serviceaccounts "webapp-sa" not found', "code": 404}),
                           (403, {"kind": "Status", "message": "forbidden it is", "code": 403}), (401, {"kind": "Status", "message": "Unauthorized", "code": 401}),
                           (404, {}), (201, {"metadata": {"annotations": {prefix + "x": "y"}}}), (200, {"kind": "Status", "status": "Failure", "message": "m", "code": 403})):
        try_with(status, answer)
    with s.differs("api-answer-texts", "body.errors*"):
        for status, answer in ((200, b"oops"), (200, b"[]"), (500, b"oops"), (200, {"metadata": {"annotations": []}}), (200, {"metadata": {"annotations": {prefix + "a": 5}}})):
            try_with(status, answer)
    # Without a reviewer the token itself asks.
    s.post("auth/kubernetes/config", config | {"token_reviewer_jwt": "", "disable_local_ca_jwt": True})
    annotated({prefix + "team": "blue"})
    # A template takes what suits it.
    s.put("sys/policies/acl/team", {"policy": 'path "secret/data/{{identity.entity.aliases.%s.metadata.team}}" { capabilities = ["read"] }'
                                              % s.get("sys/auth/kubernetes")["data"]["accessor"]})
    s.post("auth/kubernetes/role/r", {"token_policies": "team"})
    token, _ = login(s)
    s.post("sys/capabilities-self", {"paths": ["secret/data/blue", "secret/data/red"]}, token=token)
    annotated({prefix + "team": "red"})
    s.post("sys/capabilities-self", {"paths": ["secret/data/blue", "secret/data/red"]}, token=token)
    # Switched off, the next login forgets them.
    s.post("auth/kubernetes/config", config | {"use_annotations_as_alias_metadata": False})
    annotated({prefix + "team": "red"})
    s.post("sys/capabilities-self", {"paths": ["secret/data/blue", "secret/data/red"]}, token=token)
    s.delete("sys/policies/acl/team")
    s.post("auth/kubernetes/config", config)
    with s.differs("annotations-limit"):
        s.api.answers[asked] = (200, {"metadata": {"annotations": {prefix + "k": "v" * 17000}}})
        s.post("auth/kubernetes/login", {"role": "r", "jwt": jwt()}, token=None)
    clean(s)


@case("policies of an entity count for its tokens at once")
def _(s):
    mount(s)
    token, entity = login(s)
    s.put("sys/policies/acl/p1", {"policy": 'path "secret/data/p1" { capabilities = ["read"] }'})
    s.put("sys/policies/acl/p2", {"policy": 'path "secret/data/p1" { capabilities = ["update"] }'})
    ask = {"paths": ["secret/data/p1", "secret/data/p2", "sys/mounts"]}
    s.post("sys/capabilities-self", ask, token=token)
    for policies in ("P1", ["p1", " P2 "], "default,p1", ["nobody"], []):
        s.post(f"{ENTITY}/id/{entity}", {"policies": policies})
        s.post("sys/capabilities-self", ask, token=token)
        s.get("auth/token/lookup-self", token=token)
        s.post("auth/token/renew-self", {}, token=token)
        s.post("auth/kubernetes/login", {"role": "r", "jwt": jwt()}, token=None)
        s.get("sys/internal/ui/resultant-acl", token=token)
    s.post(f"{ENTITY}/id/{entity}", {"policies": "p1"})
    s.get("secret/data/p1", token=token)
    s.put("sys/policies/acl/p1", {"policy": 'path "secret/data/p1" { capabilities = ["deny"] }'})
    s.get("secret/data/p1", token=token)
    s.delete("sys/policies/acl/p1")
    s.delete("sys/policies/acl/p2")
    clean(s)


@case("a disabled or deleted entity ends what its tokens may")
def _(s):
    mount(s)
    token, entity = login(s)

    def use():
        s.get("auth/token/lookup-self", token=token)
        s.post("sys/capabilities-self", {"path": "a"}, token=token)
        s.post("auth/token/renew-self", {}, token=token)
        s.get("sys/internal/ui/mounts/secret", token=token)
        s.get("nothing/there", token=token)
        s.post("auth/token/lookup", {"token": token})
        s.post("auth/token/renew", {"token": token})

    s.post(f"{ENTITY}/id/{entity}", {"disabled": True})
    use()
    s.post("auth/kubernetes/login", {"role": "r", "jwt": jwt()}, token=None)
    s.post("auth/token/revoke-self", {}, token=token)
    s.get(f"{ENTITY}/id/{entity}")
    s.post(f"{ENTITY}/id/{entity}", {"disabled": False})
    use()
    for _ in range(2):
        s.delete(f"{ENTITY}/id/{entity}")
    use()
    s.list(f"{ENTITY}/id")
    s.list(f"{ENTITY}/name")
    s.list(f"{ALIAS}/id")
    # The account is a new entity then, which the old tokens are not of.
    second, made = login(s)
    assert made != entity
    s.get("auth/token/lookup-self", token=token)
    s.get("auth/token/lookup-self", token=second)
    # An entity without its alias keeps its tokens, the account gets a new one.
    alias = s.get(f"{ENTITY}/id/{made}")["data"]["aliases"][0]["id"]
    for _ in range(2):
        s.delete(f"{ALIAS}/id/{alias}")
    s.get(f"{ENTITY}/id/{made}")
    s.get("auth/token/lookup-self", token=second)
    _, third = login(s)
    assert third not in (made, entity)
    name = s.get(f"{ENTITY}/id/{made}")["data"]["name"]
    for _ in range(2):
        s.delete(f"{ENTITY}/name/{name}")
    s.post(ENTITY + "/batch-delete", {"entity_ids": [third, "x"]})
    for ids in ("", [], ["x"], {"a": 1}):
        s.post(ENTITY + "/batch-delete", {"entity_ids": ids})
    s.list(f"{ENTITY}/id")
    clean(s)


@case("children, orphans and batch tokens of an entity")
def _(s):
    mount(s)
    s.put("sys/policies/acl/maker", {"policy": 'path "auth/token/*" { capabilities = ["create", "read", "update", "sudo"] }\n'
                                               'path "secret/data/{{identity.entity.name}}" { capabilities = ["read"] }'})
    s.post("auth/kubernetes/role/r", {"token_policies": "maker"})
    token, entity = login(s)
    s.post(f"{ENTITY}/id/{entity}", {"name": "web", "policies": "extra"})
    s.post("auth/kubernetes/role/r", {"token_type": "batch"})
    batch, _ = login(s)
    s.get("auth/token/lookup-self", token=batch)
    s.post("sys/capabilities-self", {"paths": ["secret/data/web"]}, token=batch)
    made = [token, batch]
    for path, body in (("create", {}), ("create", {"no_parent": True}), ("create-orphan", {}), ("create", {"type": "batch"}), ("create", {"policies": ["default"]})):
        auth = s.post(f"auth/token/{path}", body | {"ttl": "30m"}, token=token)["auth"]
        made.append(auth["client_token"])
        s.get("auth/token/lookup-self", token=made[-1])
        s.post("sys/capabilities-self", {"paths": ["secret/data/web"]}, token=made[-1])
    for change in ({"disabled": True}, {"disabled": False}):
        s.post(f"{ENTITY}/id/{entity}", change)
        for each in made:
            s.get("auth/token/lookup-self", token=each)
    s.delete(f"{ENTITY}/id/{entity}")
    for each in made:
        s.get("auth/token/lookup-self", token=each)
    s.delete("sys/policies/acl/maker")
    clean(s)


@case("a mount that is disabled leaves its aliases behind")
def _(s):
    accessor = mount(s)
    token, entity = login(s)
    alias = s.get(f"{ENTITY}/id/{entity}")["data"]["aliases"][0]["id"]
    s.delete("sys/auth/kubernetes")
    s.get(f"{ENTITY}/id/{entity}")
    s.get(f"{ALIAS}/id/{alias}")
    s.list(f"{ALIAS}/id")
    s.list(f"{ENTITY}/id")
    s.post(f"{ALIAS}/id/{alias}", {"custom_metadata": {"a": "b"}})
    s.post(LOOKUP, {"alias_name": UID, "alias_mount_accessor": accessor})
    mount(s)
    _, other = login(s)
    assert other != entity
    clean(s)


@case("entities are made and changed")
def _(s):
    for body in ({"name": "made"}, {"name": "made"}, {"name": "MADE", "metadata": {"k": "v"}}, {"name": "made", "disabled": "true"}, {"name": 5}, {"name": ["a"]},
                 {"name": "new", "policies": "root"}, {"name": "made", "policies": " Root "}, {"name": "made", "policies": ["a", "root"]},
                 {"name": "made", "disabled": "maybe"}, {"name": "made", "disabled": 2}, {"name": "made", "policies": {"a": 1}}, {"id": "x"}, {"id": "x", "policies": "root"},
                 {"name": "made", "metadata": 5}, {"name": "made", "metadata": ""}, {"name": "made", "metadata": True}, {"name": "made", "metadata": ["=x"]},
                 {"name": "made", "metadata": {"a": ["b"]}}, {"name": "made", "metadata": {"": "x"}}, {"name": "made", "metadata": {"a.b": "x"}},
                 {"name": "made", "metadata": {"a": "x" * 513}}, {"name": "made", "metadata": {"k" * 129: "x"}}, {"name": "made", "metadata": {str(i): "x" for i in range(65)}},
                 {"name": "fresh", "bogus": 1}, {"name": " blanks "}):
        s.post(ENTITY, body)
    for name in ("made", "new", "fresh", "%20blanks%20", "blanks", "5"):
        s.get(f"{ENTITY}/name/{name}")
    for body in ({"metadata": ["x=y", "z=1", "x=q=r"]}, {"metadata": "q=r"}, {"metadata": {}}, {"metadata": {"a/b": 5, "c": True, "d": None}}, {"metadata": None},
                 {"policies": "b, a,,b,B"}, {"policies": ["a, b", "", " c ", "a, b"]}, {"policies": ""}, {"policies": ["response-wrapping"]}, {"policies": None},
                 {"name": "ignored"}, {"disabled": False}, {"disabled": None}, {}, {"bogus": 1}):
        s.post(f"{ENTITY}/name/made", body)
        s.get(f"{ENTITY}/name/made")
    identifier = s.get(f"{ENTITY}/name/made")["data"]["id"]
    for body in ({"name": "other"}, {"name": ""}, {"name": "fresh"}, {"name": "OTHER"}, {"id": "x", "name": "last"}, {"name": None}):
        s.post(f"{ENTITY}/id/{identifier}", body)
        s.get(f"{ENTITY}/id/{identifier}")
    for name in ("made", "other", "last"):
        s.get(f"{ENTITY}/name/{name}")
    s.post(ENTITY, {"id": identifier, "name": "fresh"})
    s.post(ENTITY, {"id": identifier})
    s.post(ENTITY, {})
    s.post(f"{ENTITY}/id/nobody", {"name": "x"})
    s.post(f"{ENTITY}/id/a%20b", {"name": "x"})
    s.post(f"{ENTITY}/name/with/slash", {"bogus": 1, "name": "q"})
    s.get(f"{ENTITY}/name/with/slash")
    s.post(f"{ENTITY}/name/", {})
    s.post("identity/persona", {"name": "fresh", "metadata": {"a": "b"}})
    for path in (ENTITY, f"{ENTITY}/id", f"{ENTITY}/id/", f"{ENTITY}/name", ALIAS):
        s.delete(path)
    s.patch(f"{ENTITY}/id/{identifier}", {"name": "x"})
    for path in (f"{ENTITY}/id", f"{ENTITY}/name", f"{ALIAS}/id", f"{ENTITY}/batch-delete"):
        s.post(path, {})
    s.get(f"{ENTITY}/batch-delete")
    s.delete(f"{ENTITY}/name/nobody")
    clean(s)


@case("aliases are made, changed and moved")
def _(s):
    accessor, second = mount(s), mount(s, "other")
    one = s.post(ENTITY, {"name": "one"})["data"]["id"]
    two = s.post(ENTITY, {"name": "two"})["data"]["id"]
    for body in ({}, {"name": "a"}, {"name": "a", "mount_accessor": "x"}, {"mount_accessor": accessor, "canonical_id": one}, {"name": "a", "mount_accessor": accessor, "canonical_id": "x"},
                 {"name": "a", "mount_accessor": accessor, "canonical_id": one, "custom_metadata": {"c": "d"}, "metadata": {"x": "y"}},
                 {"name": "b", "mount_accessor": accessor, "canonical_id": one}, {"name": "a", "mount_accessor": accessor, "canonical_id": one}, {"name": "a", "mount_accessor": accessor},
                 {"name": "B", "mount_accessor": accessor, "entity_id": two}, {"name": "b", "mount_accessor": accessor}, {"name": "a", "mount_accessor": accessor, "canonical_id": two},
                 {"name": ["a"], "mount_accessor": accessor}, {"name": "n", "mount_accessor": accessor, "custom_metadata": {"x": ""}},
                 {"name": "n", "mount_accessor": accessor, "custom_metadata": {"k" * 129: "y"}}, {"name": "n", "mount_accessor": accessor, "custom_metadata": {"a": "y" * 513}},
                 {"name": "n", "mount_accessor": accessor, "custom_metadata": {"a": "\x01"}}, {"name": "n", "mount_accessor": accessor, "custom_metadata": {str(i): "y" for i in range(65)}},
                 {"id": "x", "name": "a"}):
        s.post(ALIAS, body)
    for identifier in (one, two):
        s.get(f"{ENTITY}/id/{identifier}")
    alias = s.get(f"{ENTITY}/id/{one}")["data"]["aliases"][0]["id"]
    third = s.post(ALIAS, {"name": "c", "mount_accessor": second, "canonical_id": two})["data"]["id"]
    for body in ({"name": "a"}, {}, {"name": "b"}, {"name": "A"}, {"mount_accessor": "x"}, {"mount_accessor": second}, {"mount_accessor": second}, {"canonical_id": two},
                 {"canonical_id": one}, {"canonical_id": "x"}, {"custom_metadata": {}}, {"custom_metadata": {"a": "b"}}, {"custom_metadata": {"a": "b"}},
                 {"custom_metadata": {"": "x"}}, {"custom_metadata": "k=v"}, {"custom_metadata": {"n": 5}}, {"name": None}, {"name": ""}, {"id": "zzz", "name": "q"},
                 {"name": "q", "mount_accessor": second, "canonical_id": one}, {"custom_metadata": {}}):
        s.post(f"{ALIAS}/id/{alias}", body)
        s.get(f"{ALIAS}/id/{alias}")
    s.post(f"{ALIAS}/id/{third}", {"mount_accessor": accessor})
    s.post(ALIAS, {"id": alias, "name": "by-id"})
    s.get(f"{ALIAS}/id/{alias}")
    for body in ({"name": "x"}, {}):
        s.post(f"{ALIAS}/id/nobody", body)
    # An account that was given to an entity beforehand logs in as it.
    s.post(ALIAS, {"name": UID, "mount_accessor": second, "canonical_id": s.post(ENTITY, {"name": "three", "policies": "p3"})["data"]["id"]})
    token, entity = login(s, "other")
    s.get(f"{ENTITY}/id/{entity}")
    s.get("auth/token/lookup-self", token=token)
    # It is moved to another one: its token stays the old one's.
    four = s.post(ENTITY, {"name": "four"})["data"]["id"]
    moved = s.get(f"{ENTITY}/id/{entity}")["data"]["aliases"][0]["id"]
    s.post(f"{ALIAS}/id/{moved}", {"canonical_id": four})
    s.get(f"{ENTITY}/id/{entity}")
    s.get("auth/token/lookup-self", token=token)
    _, now = login(s, "other")
    assert now == four
    s.get(f"{ENTITY}/id/{four}")
    s.post("identity/alias", {"name": "old", "mount_accessor": accessor})
    clean(s)


@case("odd names and odd requests")
def _(s):
    for name in ("x", "x/", "x%2Fy", "a%20b", "%C3%A9", "x..y", "a//b", "x?y", "x" * 1024):
        s.put(f"{ENTITY}/name/{name}", {"metadata": {"a": "b"}})
        s.get(f"{ENTITY}/name/{name}")
        s.delete(f"{ENTITY}/name/{name}")
    for path in ("id/x/y", "id/x/", "id/-x", "id/x-", "id/x.y", "id/%C3%A9"):
        s.get(f"{ENTITY}/{path}")
        s.delete(f"{ENTITY}/{path}")
        s.post(f"{ENTITY}/{path}", {"name": "q"})
    for body in (b"", b"{}", b"[]", b"null", b"{", b'{"name":"dup","name":"dup"}'):
        s.request("POST", ENTITY, body=body)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"name=form&policies=a&policies=b", b"name=form&metadata=a%3Db&disabled=true"):
        s.request("POST", ENTITY, body=body, headers=form)
        s.get(f"{ENTITY}/name/form")
    s.request("HEAD", f"{ENTITY}/name/form")
    s.request("OPTIONS", f"{ENTITY}/name/form")
    for token in (None, "bad"):
        s.get(f"{ENTITY}/name/form", token=token)
        s.request("HEAD", f"{ENTITY}/name/form", token=token)
    for method, path, body in (("GET", f"{ENTITY}/name/form", None), ("LIST", f"{ENTITY}/id", None), ("POST", ENTITY, {"name": "wrapped"})):
        s.request(method, path, body, headers={"X-Vault-Wrap-TTL": "60s"})
    s.post(ENTITY, {"NAME": "upper"})
    s.post(ENTITY, {"name": "\u00c9", "policies": ["\u00c9", "\u00e9", "x" * 3000]})
    s.get(f"{ENTITY}/name/%C3%89")
    with s.differs("identity-names"):
        s.get(f"{ENTITY}/name/%C3%A9")
        s.put(f"{ENTITY}/name/{'x' * 1025}", {})
    s.delete(f"{ENTITY}/name/{'x' * 1025}")
    clean(s)


@case("identity/ among the mounts")
def _(s):
    s.get("sys/mounts/identity")
    s.get("sys/internal/ui/mounts/identity/entity")
    s.delete("sys/mounts/identity")
    s.post("sys/mounts/identity", {"type": "kv"})
    s.post("sys/mounts/mine", {"type": "identity"})


@case("what is not built")
def _(s):
    for path in ("oidc/config", "mfa/method", "oidc/token/x"):
        with s.differs("identity"):
            s.get(f"identity/{path}")


@case("an entity that a create changes is decided by as it was written")
def _(s):
    accessor = s.get("sys/auth")["data"]["token/"]["accessor"]
    s.post("sys/mounts/teams", {"type": "kv"})
    for team in ("red", "blue"):
        s.post(f"teams/{team}/x", {"v": team})
    s.put("sys/policies/acl/teams", {"policy": 'path "teams/{{identity.entity.metadata.team}}/*" { capabilities = ["read"] }'})
    entity = s.post("identity/entity", {"name": "worker", "metadata": {"team": "red"}})["data"]["id"]
    s.post("auth/token/roles/worker", {"allowed_entity_aliases": "worker", "allowed_policies_glob": "*"})

    def alias():
        return s.post("identity/entity-alias", {"name": "worker", "mount_accessor": accessor, "canonical_id": entity})["data"]["id"]

    def made(policy):
        """The policy that is not there makes the create look for it when all else is done."""
        return s.post("auth/token/create/worker", {"entity_alias": "worker", "policies": ["teams", policy]})["auth"]["client_token"]

    first = alias()
    for _ in range(3):
        made("nobody-1")
    s.delete(f"identity/entity-alias/id/{first}")
    alias()
    token = made("nobody-2")
    s.get("teams/red/x", token=token)
    for team in ("blue", "red", "blue"):
        s.post(f"identity/entity/id/{entity}", {"metadata": {"team": team}})
        for path in ("red", "blue"):
            s.get(f"teams/{path}/x", token=token)
    s.delete("sys/mounts/teams")
    s.delete(f"identity/entity/id/{entity}")


@case("tokens of an entity that is disabled, and then deleted")
def _(s):
    accessor = s.get("sys/auth")["data"]["token/"]["accessor"]
    entity = s.post("identity/entity", {"name": "off"})["data"]["id"]
    s.post("identity/entity-alias", {"name": "off", "mount_accessor": accessor, "canonical_id": entity})
    s.post("auth/token/roles/off", {"allowed_entity_aliases": "off", "allowed_policies": "default"})
    auth = s.post("auth/token/create/off", {"entity_alias": "off"})["auth"]
    token, child = auth["client_token"], s.post("auth/token/create/off", {"entity_alias": "off", "type": "batch"})["auth"]["client_token"]

    def used():
        for each in (token, child):
            s.get("auth/token/lookup-self", token=each)
            s.get("sys/internal/ui/mounts", token=each)
            s.get("sys/internal/ui/mounts/secret", token=each)
            s.get("sys/internal/ui/resultant-acl", token=each)
            s.get("cubbyhole/x", token=each)
            s.post("sys/capabilities", {"token": each, "paths": ["sys/mounts"]})
            s.post("auth/token/lookup", {"token": each})
        s.post("sys/capabilities-accessor", {"accessor": auth["accessor"], "paths": ["sys/mounts"]})
        s.post("auth/token/create/off", {"entity_alias": "off"})

    used()
    for disabled in (True, False):
        s.post(f"identity/entity/id/{entity}", {"disabled": disabled})
        used()
    s.delete(f"identity/entity/id/{entity}")
    for each in (token, child):
        s.get("auth/token/lookup-self", token=each)
        s.post("sys/capabilities", {"token": each, "paths": ["sys/mounts"]})


@case("paths that need no token refuse one whose entity is disabled, or gone")
def _(s):
    mount(s)
    token, entity = login(s)
    wrapping = s.request("GET", "auth/token/lookup-self", headers={"X-Vault-Wrap-TTL": "60"})["wrap_info"]["token"]
    for end in (lambda: s.post(f"{ENTITY}/id/{entity}", {"disabled": True}), lambda: s.delete(f"{ENTITY}/id/{entity}")):
        end()
        for who in token, None, "hvs.nobody":
            s.post("auth/kubernetes/login", {"role": "r"}, token=who)
            s.post("auth/kubernetes/login", {"role": "r", "jwt": jwt(**account("other", "other", "other"))}, token=who)
            s.post("sys/wrapping/lookup", {"token": wrapping}, token=who)
            s.get("sys/replication/status", token=who)
            s.get("sys/internal/ui/mounts", token=who)
            s.get("sys/leader", token=who)
    clean(s)
