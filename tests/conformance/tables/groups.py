# SPDX-License-Identifier: Apache-2.0
"""Groups: who is in them, what a token has from them, and entities that become one."""
from fakeapi import UID
from play import case
from tables._identity import ALIAS, ENTITY, GROUP, account, clean, login, mount

MINIMUM = 450
GROUP_ALIAS, MERGE, LOOKUP = "identity/group-alias", "identity/entity/merge", "identity/lookup/group"


def entity(s, name, **more):
    return s.post(ENTITY, {"name": name} | more)["data"]["id"]


def group(s, name, **more):
    return s.post(GROUP, {"name": name} | more)["data"]["id"]


@case("groups are made, read and deleted")
def _(s):
    for path in (GROUP, f"{GROUP}/id", f"{GROUP}/name", f"{GROUP}/id/nobody", f"{GROUP}/name/nobody", LOOKUP, f"{GROUP}/id/a%20b", GROUP_ALIAS, f"{GROUP_ALIAS}/id",
                 f"{GROUP_ALIAS}/id/nobody"):
        s.get(path)
        s.list(path)
    one = group(s, "one", policies="a,b", metadata={"x": "y"})
    for path in (f"{GROUP}/id/{one}", f"{GROUP}/name/one", f"{GROUP}/name/ONE", f"{GROUP}/id/{one.upper()}", f"{GROUP}/id/{one}?x=1", f"{GROUP}/id?list=true"):
        s.get(path)
    s.list(f"{GROUP}/id")
    s.list(f"{GROUP}/name")
    for asked in ({}, {"id": one}, {"name": "one"}, {"name": "One"}, {"id": "x"}, {"name": "x"}, {"alias_id": "x"}, {"alias_name": "x"}, {"alias_mount_accessor": "x"},
                  {"alias_name": "x", "alias_mount_accessor": "x"}, {"id": one, "name": "one"}, {"id": one, "alias_name": "x"}, {"name": ["x"]},
                  {"id": one, "foo": 1}, {"id": "", "name": ""}):
        s.post(LOOKUP, asked)
    s.get(LOOKUP)
    s.delete(f"{GROUP}/id/nobody")
    s.delete(f"{GROUP}/name/nobody")
    s.delete(f"{GROUP}/name/ONE")
    s.get(f"{GROUP}/id/{one}")
    s.list(f"{GROUP}/id")
    s.post(GROUP, {})
    s.post(f"{GROUP}/name/a/b", {"policies": "c"})
    s.get(f"{GROUP}/name/a/b")
    for method in ("DELETE", "PATCH"):
        s.request(method, GROUP)
    clean(s)


@case("a group that is named by nothing")
def _(s):
    one = group(s, "named")
    for body in ({"id": ""}, {"id": None}, {"name": ""}, {"name": None}, {"id": "", "name": "named"}, {"id": one, "name": ""}, {"id": one, "name": None}):
        s.post(GROUP, body)
    s.post(f"{GROUP}/id/{one}", {"name": ""})
    s.post(f"{GROUP}/id/{one}", {"id": ""})
    s.post(f"{GROUP}/name/named", {"id": "", "name": ""})
    s.list(f"{GROUP}/name")
    s.delete(f"{GROUP}/id/{one}")


@case("what a group may say of itself")
def _(s):
    one = group(s, "one")
    for said in ({"policies": "pa,PA,zz"}, {"policies": "pa,PB, x ,pa,,"}, {"policies": []}, {"policies": None}, {"policies": "root"}, {"policies": ["a", "ROOT"]},
                 {"policies": {"a": 1}}, {"metadata": ["k=v", "l=w"]}, {"metadata": {}}, {"metadata": None}, {"metadata": {"a": 5, "b": True}}, {"metadata": "nope"},
                 {"metadata": {"": "x"}}, {"metadata": {"a b": "x"}}, {"metadata": {"k" * 129: "x"}}, {"metadata": {"k": "x" * 513}},
                 {"metadata": {str(i): "x" for i in range(65)}}, {"type": "internal"}, {"type": "external"}, {"type": "bad"}, {"type": ""}, {"name": "ONE"}, {"name": "two"},
                 {"name": ""}, {"name": 5}, {"name": ["x"]}, {"foo": 1}, {"id": "ignored"}, {}):
        s.post(f"{GROUP}/id/{one}", said)
        s.get(f"{GROUP}/id/{one}")
    for said in ({"name": "new", "type": "bad"}, {"name": "new", "type": ""}, {"name": "new", "type": "internal", "policies": "root"}, {"id": "nobody"}, {"id": one, "name": "renamed"},
                 {"name": "RENAMED", "policies": "p"}, {"name": "other", "metadata": {"": "x"}}, {"name": "ext", "type": "external"}, {"name": "ext", "type": "internal"},
                 {"name": 7, "foo": 1}, {"name": "x", "policies": [1, None]}):
        s.post(GROUP, said)
    s.get(f"{GROUP}/id/{one}")
    s.post(f"{GROUP}/name/path", {"name": "body"})
    s.get(f"{GROUP}/name/path")
    s.get(f"{GROUP}/name/body")
    s.post(f"{GROUP}/id/{one}", {"name": "path"})
    s.post(f"{GROUP}/id/nobody", {"name": "x"})
    with s.differs("identity-names"):
        s.post(GROUP, {"name": "n" * 1025})
        s.delete(f"{GROUP}/name/" + "n" * 1025) and s.records.pop()
        s.post(GROUP, {"name": "many", "member_entity_ids": [str(i) for i in range(4097)]})
    clean(s)


@case("members come and go")
def _(s):
    mine, other = entity(s, "mine"), entity(s, "other")
    one = group(s, "one", member_entity_ids=[mine, mine])
    two = group(s, "two", member_entity_ids=mine)

    def seen():
        for path in (f"{GROUP}/id/{one}", f"{GROUP}/id/{two}"):
            s.get(path)
        for each in (mine, other):
            found = s.get(f"{ENTITY}/id/{each}").json
            s.records.pop()  # the order of several is that of random ids
            s.note("groups of an entity", sorted({one: "one", two: "two"}[g] for g in found["data"]["group_ids"]))

    seen()
    for members in ([], [other], other, [""], ["nobody"], [other, "nobody"], None, {"a": 1}, [mine], "nobody,other", 5):
        s.post(f"{GROUP}/id/{one}", {"member_entity_ids": members})
        if members not in ([""],):  # an empty list, or none
            seen()
    s.post(GROUP, {"name": "bad", "member_entity_ids": ["x", "y"], "member_group_ids": ["x"]})
    s.post(GROUP, {"name": "bad", "member_group_ids": ["x"]})
    s.get(f"{GROUP}/name/bad")
    s.post(f"{GROUP}/id/{one}", {"member_entity_ids": [other], "member_group_ids": ["x"]})
    seen()
    for said in ({"name": "ext", "type": "external", "member_entity_ids": [mine]}, {"name": "ext", "type": "external", "member_group_ids": [one]},
                 {"name": "ext", "type": "external", "member_entity_ids": []}, {"name": "ext", "type": "external", "policies": "p"}):
        s.post(GROUP, said)
    for said in ({"member_entity_ids": [mine]}, {"member_group_ids": [one]}, {"policies": "q"}, {"type": "internal"}):
        s.post(f"{GROUP}/name/ext", said)
    s.get(f"{GROUP}/name/ext")
    s.delete(f"{ENTITY}/id/{mine}")
    seen_after = s.get(f"{GROUP}/id/{two}")
    assert seen_after["data"]["member_entity_ids"] == []
    s.post(f"{ENTITY}/batch-delete", {"entity_ids": [other]})
    s.get(f"{GROUP}/id/{one}")
    clean(s)


@case("groups in groups, and no circles")
def _(s):
    mine = entity(s, "mine")
    groups = [group(s, "g0", member_entity_ids=mine)]
    for n in range(1, 6):
        groups.append(group(s, f"g{n}", member_group_ids=groups[-1]))

    def seen():
        found = s.get(f"{ENTITY}/id/{mine}").json["data"]
        s.records.pop()
        for which in ("direct_group_ids", "inherited_group_ids", "group_ids"):
            s.note(which, sorted(groups.index(g) for g in found[which]))

    seen()
    for each in groups:
        s.get(f"{GROUP}/id/{each}")
    s.list(f"{GROUP}/id") and s.records.pop()
    for of, member in ((0, 0), (0, 1), (0, 5), (2, 5), (4, 5), (5, 5)):
        s.post(f"{GROUP}/id/{groups[of]}", {"member_group_ids": [groups[member]]})
        s.get(f"{GROUP}/id/{groups[of]}")
    s.post(f"{GROUP}/id/{groups[5]}", {"member_group_ids": ["nobody"]})
    s.post(f"{GROUP}/id/{groups[3]}", {"member_group_ids": []})
    for n in (2, 3):
        s.get(f"{GROUP}/id/{groups[n]}")
    seen()
    # A circle that was impossible until then; and several ways up to one.
    s.post(f"{GROUP}/id/{groups[2]}", {"member_group_ids": [groups[4]]})
    seen()
    s.post(f"{GROUP}/id/{groups[0]}", {"member_group_ids": [groups[3]]})
    seen()
    s.post(f"{GROUP}/id/{groups[3]}", {"member_group_ids": [groups[2]]})
    s.post(f"{GROUP}/id/{groups[5]}", {"member_entity_ids": mine})
    seen()
    s.delete(f"{GROUP}/id/{groups[1]}")
    seen()
    s.get(f"{GROUP}/id/{groups[2]}")
    with s.differs("group-parents", ("body.data.parent_group_ids*", "body.data.modify_index")):
        s.get(f"{GROUP}/id/{groups[0]}")
    clean(s)


@case("policies of groups count for tokens at once")
def _(s):
    mount(s)
    token, mine = login(s)
    s.post("sys/mounts/team", {"type": "kv"})
    for name in ("a", "b", "c"):
        s.post(f"team/{name}", {"v": name})
        s.put(f"sys/policies/acl/{name}", {"policy": f'path "team/{name}" {{ capabilities = ["read"] }}'})

    def seen():
        for name in ("a", "b", "c"):
            s.get(f"team/{name}", token=token)
        s.get("auth/token/lookup-self", token=token)
        s.post("auth/token/renew-self", {}, token=token)
        s.post("sys/capabilities", {"token": token, "paths": ["team/a", "team/b", "team/c"]})
        s.post("sys/capabilities-self", {"paths": "team/b"}, token=token)
        login(s)

    seen()
    one = group(s, "one", member_entity_ids=mine)
    seen()
    s.post(f"{GROUP}/id/{one}", {"policies": "A"})
    seen()
    two = group(s, "two", member_group_ids=one, policies="b,a")
    seen()
    s.post(f"{ENTITY}/id/{mine}", {"policies": "c,b"})
    seen()
    child = s.post("auth/token/create", {"policies": ["default", "a"]})["auth"]["client_token"]
    s.get("auth/token/lookup-self", token=child)
    s.post(f"{GROUP}/id/{one}", {"member_entity_ids": []})
    seen()
    s.post(f"{ENTITY}/id/{mine}", {"policies": []})
    s.post(f"{GROUP}/id/{two}", {"member_entity_ids": mine})
    seen()
    s.delete(f"{GROUP}/id/{two}")
    seen()
    three = group(s, "three", member_entity_ids=mine, policies="nobody,c")
    seen()
    s.delete("sys/policies/acl/c")
    s.get("team/c", token=token)
    s.post(f"{ENTITY}/id/{mine}", {"disabled": True})
    s.get("auth/token/lookup-self", token=token)
    s.post(f"{ENTITY}/id/{mine}", {"disabled": False})
    s.delete(f"{GROUP}/id/{three}")
    s.get("auth/token/lookup-self", token=token)
    s.delete("sys/mounts/team")
    clean(s)


@case("children and batch tokens have the groups of their parent's entity")
def _(s):
    mount(s)
    s.put("sys/policies/acl/maker", {"policy": 'path "auth/token/create*" { capabilities = ["update", "sudo"] }'})
    token, mine = login(s)
    one = group(s, "one", member_entity_ids=mine, policies="maker")
    for body in ({}, {"policies": ["default"]}, {"policies": ["maker"]}, {"type": "batch"}, {"no_parent": True}):
        made = s.post("auth/token/create", body, token=token)
        if made.status == 200:
            s.get("auth/token/lookup-self", token=made["auth"]["client_token"])
            s.post("sys/capabilities-self", {"paths": "auth/token/create"}, token=made["auth"]["client_token"])
    s.delete(f"{GROUP}/id/{one}")
    s.post("auth/token/create", {}, token=token)
    s.delete("sys/policies/acl/maker")
    clean(s)


@case("templates of groups")
def _(s):
    mount(s)
    token, mine = login(s)
    one = group(s, "one", member_entity_ids=mine, metadata={"team": "red", "a_b": "x"}, policies="templates")
    two = group(s, "two", member_group_ids=one)
    far = group(s, "far")
    fields = ("names.one.id", "names.one.name", "names.one.metadata.team", "names.one.metadata.none", "names.one.metadata", "names.one.policies", "names.one", "names",
              "names.ONE.name", "names.two.name", "names.far.name", "names.nobody.id", f"ids.{one}.name", f"ids.{one}.id", f"ids.{one}.metadata.team", f"ids.{two}.name",
              f"ids.{far}.name", "ids.nobody.name", "ids", "other", "names..name", "names.one.metadata.a_b")
    s.put("sys/policies/acl/templates", {"policy": "\n".join(f'path "t{n}/{{{{identity.groups.{field}}}}}" {{ capabilities = ["read"] }}'
                                                             for n, field in enumerate(fields))})

    def seen():
        values = [one, "one", "red", "red", "red", "x", "one", "x", "one", "two", "far", "x", "one", one, "red", "two", "far", "x", "x", "x", "x", "x"]
        s.post("sys/capabilities-self", {"paths": [f"t{n}/{value}" for n, value in enumerate(values)]}, token=token)

    seen()
    s.post(f"{GROUP}/id/{far}", {"member_group_ids": [two]})
    seen()
    s.post(f"{GROUP}/id/{one}", {"metadata": {"team": "blue"}})
    seen()
    s.post(f"{GROUP}/id/{one}", {"metadata": {"team": "red"}, "name": "uno"})
    seen()
    s.post(f"{GROUP}/id/{one}", {"name": "one"})
    seen()
    s.post(f"{GROUP}/id/{one}", {"member_entity_ids": []})
    seen()
    s.delete("sys/policies/acl/templates")
    clean(s)


@case("entities become one")
def _(s):
    accessor, second = mount(s, alias_name_source="serviceaccount_name"), mount(s, "other", alias_name_source="serviceaccount_name")
    for asked in ({}, {"from_entity_ids": "x"}, {"to_entity_id": "x"}, {"from_entity_ids": "x", "to_entity_id": "y"}, {"from_entity_ids": [], "to_entity_id": "y"},
                  {"from_entity_ids": {"a": 1}, "to_entity_id": "y"}, {"from_entity_ids": "x", "to_entity_id": "y", "force": "maybe"}):
        s.post(MERGE, asked)
    s.get(MERGE)
    token, mine = login(s)
    elsewhere, there = login(s, "other")
    s.post(f"{ENTITY}/id/{there}", {"policies": "theirs", "metadata": {"a": "b"}})
    s.post(f"{ENTITY}/id/{mine}", {"policies": "mine"})
    one = group(s, "one", member_entity_ids=there, policies="of-group")
    for asked in ({"from_entity_ids": mine, "to_entity_id": mine}, {"from_entity_ids": "nobody", "to_entity_id": mine}, {"from_entity_ids": mine, "to_entity_id": "nobody"},
                  {"from_entity_ids": [""], "to_entity_id": mine}, {"from_entity_ids": [there, "nobody"], "to_entity_id": mine},
                  {"from_entity_ids": [there, there], "to_entity_id": mine, "foo": 1}):
        s.post(MERGE, asked)
    for path in (f"{ENTITY}/id/{mine}", f"{ENTITY}/id/{there}", f"{GROUP}/id/{one}"):
        s.get(path)
    alias = s.get(f"{ENTITY}/id/{mine}")["data"]["aliases"][1]["id"]
    s.get(f"{ALIAS}/id/{alias}")
    s.list(f"{ALIAS}/id") and s.records.pop()
    for each in (token, elsewhere):
        s.get("auth/token/lookup-self", token=each)
        s.post("auth/token/renew-self", {}, token=each)
    s.post("sys/capabilities-self", {"paths": [f"{ENTITY}/id/{mine}", f"{ENTITY}/id/{there}"]}, token=elsewhere)
    assert login(s, "other")[1] == mine
    s.post("identity/lookup/entity", {"id": there})
    s.post(f"{ENTITY}/id/{there}", {"policies": "x"})
    s.post(GROUP, {"name": "of-gone", "member_entity_ids": there})
    # What was merged goes on with the next one.
    last = entity(s, "last", policies="last")
    s.post(MERGE, {"from_entity_ids": mine, "to_entity_id": last, "force": True})
    s.get(f"{ENTITY}/id/{last}")
    s.get(f"{GROUP}/id/{one}")
    for each in (token, elsewhere):
        s.get("auth/token/lookup-self", token=each)
    s.post(f"{ENTITY}/id/{last}", {"disabled": True})
    for each in (token, elsewhere):
        s.get("auth/token/lookup-self", token=each)
    s.post(f"{ENTITY}/id/{last}", {"disabled": False})
    s.delete(f"{ENTITY}/id/{last}")
    for each in (token, elsewhere):
        s.get("auth/token/lookup-self", token=each)
    s.get(f"{GROUP}/id/{one}")
    assert accessor != second
    clean(s)


@case("entities with accounts of one mount become one")
def _(s):
    mount(s)

    def pair():
        (first, mine), (second, other) = login(s), login(s, **account("ns2", "sa2", "u2"))
        aliases = [s.get(f"{ENTITY}/id/{each}")["data"]["aliases"][0]["id"] for each in (mine, other)]
        return first, mine, aliases[0], second, other, aliases[1]

    first, mine, my_alias, second, other, other_alias = pair()
    for keep in ({}, {"force": True}, {"conflicting_alias_ids_to_keep": []}):
        with s.differs("merge-clash-data", "body.data"):
            s.post(MERGE, {"from_entity_ids": other, "to_entity_id": mine} | keep)
    s.post(MERGE, {"from_entity_ids": other, "to_entity_id": mine, "conflicting_alias_ids_to_keep": "nobody"})
    s.get(f"{ENTITY}/id/{mine}")
    s.get(f"{ENTITY}/id/{other}")
    s.post(MERGE, {"from_entity_ids": other, "to_entity_id": mine, "conflicting_alias_ids_to_keep": [other_alias, "nobody"]})
    s.get(f"{ENTITY}/id/{mine}")
    s.get(f"{ALIAS}/id/{my_alias}")
    for each in (first, second):
        s.get("auth/token/lookup-self", token=each)
    s.note("whose the accounts are", [login(s)[1] == mine, login(s, **account("ns2", "sa2", "u2"))[1] == mine])
    clean(s)
    mount(s)
    first, mine, my_alias, second, other, other_alias = pair()
    s.post(MERGE, {"from_entity_ids": other, "to_entity_id": mine, "conflicting_alias_ids_to_keep": my_alias})
    with s.differs("merge-kept-alias", "body*"):
        s.get(f"{ENTITY}/id/{mine}")
    with s.differs("merge-kept-alias"):
        s.get(f"{ALIAS}/id/{other_alias}")
    s.get("auth/token/lookup-self", token=second)
    clean(s)


@case("aliases of external groups")
def _(s):
    accessor, second = mount(s), mount(s, "other")
    ext, more, internal = group(s, "ext", type="external", policies="q"), group(s, "more", type="external"), group(s, "internal")
    for said in ({}, {"name": "n"}, {"mount_accessor": accessor}, {"name": "n", "mount_accessor": "nobody"}, {"name": ["n"], "mount_accessor": accessor},
                 {"name": "n", "mount_accessor": accessor, "canonical_id": "nobody"}, {"name": "n", "mount_accessor": accessor, "canonical_id": internal},
                 {"id": "nobody", "name": "n", "mount_accessor": accessor}):
        s.post(GROUP_ALIAS, said)
    alias = s.post(GROUP_ALIAS, {"name": "n", "mount_accessor": accessor, "canonical_id": ext, "metadata": {"a": "b"}})["data"]["id"]
    for path in (f"{GROUP}/id/{ext}", f"{GROUP_ALIAS}/id/{alias}"):
        s.get(path)
    s.list(f"{GROUP_ALIAS}/id")
    for asked in ({"alias_id": alias}, {"alias_name": "n", "alias_mount_accessor": accessor}, {"alias_name": "N", "alias_mount_accessor": accessor},
                  {"alias_name": "n", "alias_mount_accessor": second}):
        s.post(LOOKUP, asked)
    for said in ({"name": "n", "mount_accessor": accessor, "canonical_id": ext}, {"name": "N", "mount_accessor": accessor, "canonical_id": more},
                 {"name": "n", "mount_accessor": accessor}):
        s.post(GROUP_ALIAS, said)
    for said in ({"name": "n10"}, {"name": "n", "mount_accessor": accessor}, {"name": "n10", "mount_accessor": second}, {"name": "n11", "mount_accessor": second, "canonical_id": more},
                 {"name": "n12", "mount_accessor": second, "canonical_id": internal}, {"name": "n12", "mount_accessor": second, "canonical_id": "nobody"}):
        s.post(f"{GROUP_ALIAS}/id/{alias}", said)
        for path in (f"{GROUP_ALIAS}/id/{alias}", f"{GROUP}/id/{ext}", f"{GROUP}/id/{more}"):
            s.get(path)
    for said in ({"name": "x", "mount_accessor": accessor}, {"name": "x"}, {}):
        s.post(f"{GROUP_ALIAS}/id/nobody", said)
    # One takes the place of another.
    s.post(GROUP_ALIAS, {"name": "n20", "mount_accessor": accessor, "canonical_id": more})
    s.get(f"{GROUP}/id/{more}")
    s.get(f"{GROUP_ALIAS}/id/{alias}")
    s.list(f"{GROUP_ALIAS}/id")
    s.post(f"{GROUP_ALIAS}", {"name": "n11", "mount_accessor": second, "canonical_id": ext})
    fresh = s.post(GROUP_ALIAS, {"name": "fresh", "mount_accessor": accessor})["data"]
    s.get(f"{GROUP}/id/{fresh['canonical_id']}")
    s.delete(f"{GROUP_ALIAS}/id/nobody")
    s.delete(f"{GROUP_ALIAS}/id/{fresh['id']}")
    s.get(f"{GROUP}/id/{fresh['canonical_id']}")
    s.get(f"{GROUP_ALIAS}/id/{fresh['id']}")
    again = s.post(GROUP_ALIAS, {"name": "fresh", "mount_accessor": accessor})["data"]
    s.delete(f"{GROUP}/id/{again['canonical_id']}")
    s.get(f"{GROUP_ALIAS}/id/{again['id']}")
    s.post(GROUP_ALIAS, {"name": "fresh", "mount_accessor": accessor, "canonical_id": ext})
    assert UID
    clean(s)
