# SPDX-License-Identifier: Apache-2.0
"""A usual day of hvac, the Python client of Vault: hvac_day.py PART prints what each call gave, one line each. VAULT_ADDR, VAULT_CACERT and
VAULT_TOKEN say where; JWT is a service account token."""
import json
import os
import sys

import hvac

ADDRESS, CA = os.environ["VAULT_ADDR"], os.environ["VAULT_CACERT"]


def client(token=None):
    return hvac.Client(url=ADDRESS, verify=CA, token=token or os.environ["VAULT_TOKEN"], namespace=None)


def show(name, call, /, *arguments, **more):
    """Calls and prints; the answer, for who goes on with it."""
    try:
        answer = call(*arguments, **more)
    except hvac.exceptions.VaultError as error:
        print(f"{name}: {type(error).__name__}: {error.errors or error}")
        return None
    shown = answer
    if hasattr(answer, "status_code"):
        shown = answer.status_code
    print(f"{name}: {json.dumps(shown, sort_keys=True)}")
    return answer


def status():
    c = client()
    print("initialised:", c.sys.is_initialized(), "sealed:", c.sys.is_sealed(), "authenticated:", c.is_authenticated())
    show("health", lambda: sorted(c.sys.read_health_status(method="GET")))
    show("leader", lambda: sorted(c.sys.read_leader_status()))
    print("without a token:", hvac.Client(url=ADDRESS, verify=CA, token="").is_authenticated())
    print("with a wrong one:", client("hvs.wrong").is_authenticated())


def kubernetes():
    c = client()
    jwt = os.environ["JWT"]
    show("config", c.auth.kubernetes.read_config)
    show("role", c.auth.kubernetes.create_role, "hvac", ["webapp-sa"], ["webapp-ns"], policies=["webapp-policy"], ttl="1h", audience="vault")
    show("read role", c.auth.kubernetes.read_role, "hvac")
    show("roles", c.auth.kubernetes.list_roles)
    mine = hvac.Client(url=ADDRESS, verify=CA, token="")
    show("login", mine.auth.kubernetes.login, role="hvac", jwt=jwt)
    print("authenticated:", mine.is_authenticated())
    show("myself", mine.auth.token.lookup_self)
    show("secret", mine.secrets.kv.v2.read_secret_version, path="webapp/config", raise_on_deleted_version=True)
    show("another's", mine.secrets.kv.v2.read_secret_version, path="payroll/db", raise_on_deleted_version=True)
    show("renew", mine.auth.token.renew_self)
    mine.logout(revoke_token=True)
    show("wrong role", mine.auth.kubernetes.login, role="nope", jwt=jwt)
    show("wrong token", mine.auth.kubernetes.login, role="hvac", jwt="x.y.z")
    show("delete role", c.auth.kubernetes.delete_role, "hvac")


def kv2():
    kv = client().secrets.kv.v2
    show("config", kv.configure, max_versions=5, mount_point="secret")
    show("read config", kv.read_configuration, mount_point="secret")
    show("write", kv.create_or_update_secret, path="hvac/a", secret={"user": "a", "n": 5, "deep": {"x": [1, None, True]}})
    show("write again", kv.create_or_update_secret, path="hvac/a", secret={"user": "b"}, cas=1)
    show("cas fails", kv.create_or_update_secret, path="hvac/a", secret={"user": "c"}, cas=1)
    show("patch", kv.patch, path="hvac/a", secret={"more": "x"})
    for version in (None, 1, 9):
        show(f"read {version}", kv.read_secret_version, path="hvac/a", version=version, raise_on_deleted_version=True)
    show("list", kv.list_secrets, path="hvac")
    show("metadata", kv.read_secret_metadata, path="hvac/a")
    show("custom metadata", kv.update_metadata, path="hvac/a", max_versions=3, custom_metadata={"owner": "me"})
    show("delete", kv.delete_secret_versions, path="hvac/a", versions=[1])
    show("read deleted", kv.read_secret_version, path="hvac/a", version=1, raise_on_deleted_version=True)
    show("undelete", kv.undelete_secret_versions, path="hvac/a", versions=[1])
    show("destroy", kv.destroy_secret_versions, path="hvac/a", versions=[1])
    show("delete latest", kv.delete_latest_version_of_secret, path="hvac/a")
    show("all of it", kv.delete_metadata_and_all_versions, path="hvac/a")
    show("gone", kv.read_secret_version, path="hvac/a", raise_on_deleted_version=True)
    show("list nothing", kv.list_secrets, path="hvac")


def kv1():
    c = client()
    show("mount", c.sys.enable_secrets_engine, "kv", path="hvac-old", options={"version": "1"})
    kv = c.secrets.kv.v1
    show("write", kv.create_or_update_secret, path="a", secret={"user": "a", "n": 5}, mount_point="hvac-old")
    show("read", kv.read_secret, path="a", mount_point="hvac-old")
    show("list", kv.list_secrets, path="", mount_point="hvac-old")
    show("delete", kv.delete_secret, path="a", mount_point="hvac-old")
    show("gone", kv.read_secret, path="a", mount_point="hvac-old")
    show("unmount", c.sys.disable_secrets_engine, path="hvac-old")


def policies():
    c = client()
    show("write", c.sys.create_or_update_policy, "hvac", 'path "secret/*" { capabilities = ["read"] }')
    show("read", c.sys.read_policy, "hvac")
    show("list", c.sys.list_policies)
    show("acl", c.read, "sys/policies/acl/hvac")
    show("bad", c.sys.create_or_update_policy, "bad", "path {")
    show("delete", c.sys.delete_policy, "hvac")
    show("gone", c.sys.read_policy, "hvac")


def tokens():
    c = client()
    made = show("create", c.auth.token.create, policies=["default"], ttl="1h", meta={"who": "hvac"}, display_name="hvac", num_uses=0)["auth"]
    show("orphan", c.auth.token.create_orphan, policies=["default"], ttl="5m")
    show("lookup", c.auth.token.lookup, made["client_token"])
    show("by accessor", c.auth.token.lookup_accessor, made["accessor"])
    show("renew", c.auth.token.renew, made["client_token"], increment="2h")
    show("accessors", lambda: made["accessor"] in c.auth.token.list_accessors()["data"]["keys"])
    child = client(made["client_token"])
    show("child self", child.auth.token.lookup_self)
    show("child may not", child.sys.list_policies)
    show("capabilities", child.sys.get_capabilities, ["sys/policy", "cubbyhole/x"])
    show("revoke", c.auth.token.revoke, made["client_token"])
    show("revoked", c.auth.token.lookup, made["client_token"])
    print("still authenticated:", child.is_authenticated())


def mounts():
    c = client()
    show("enable", c.sys.enable_secrets_engine, "kv", path="team", options={"version": "2"}, description="a team's")
    show("list", lambda: sorted(c.sys.list_mounted_secrets_engines()["data"]))
    show("configuration", c.sys.read_mount_configuration, path="team")
    show("tune", c.sys.tune_mount_configuration, path="team", default_lease_ttl="2h", max_lease_ttl="4h")
    show("tuned", c.sys.read_mount_configuration, path="team")
    show("move", c.sys.move_backend, from_path="team", to_path="crew")
    show("auth", c.sys.enable_auth_method, "kubernetes", path="k8s-two", description="another")
    show("auth list", lambda: sorted(c.sys.list_auth_methods()["data"]))
    show("auth tune", c.sys.tune_auth_method, path="k8s-two", default_lease_ttl=600)
    show("auth tuned", c.sys.read_auth_method_tuning, path="k8s-two")
    show("auth gone", c.sys.disable_auth_method, "k8s-two")
    show("unknown type", c.sys.enable_secrets_engine, "nonsense")


def any_path():
    c = client()
    show("write", c.write, "secret/data/any", data={"a": "b"})
    show("read", c.read, "secret/data/any")
    show("list", c.list, "secret/metadata")
    show("delete", c.delete, "secret/metadata/any")
    show("nothing", c.read, "secret/data/any")
    show("no route", c.read, "nowhere/x")


def identity():
    c = client()
    i, accessor = c.secrets.identity, c.sys.list_auth_methods()["data"]["token/"]["accessor"]
    made = show("entity", i.create_or_update_entity, "hvac", policies=["webapp-policy"], metadata={"team": "red"})["data"]["id"]
    other = show("another", i.create_or_update_entity_by_name, "hvac-two")["data"]["id"]
    show("read", i.read_entity, made)
    show("by name", i.read_entity_by_name, "hvac")
    show("update", i.update_entity, made, metadata={"team": "blue"}, policies=["default"])
    alias = show("alias", i.create_or_update_entity_alias, name="hvac", canonical_id=made, mount_accessor=accessor)["data"]["id"]
    show("read alias", i.read_entity_alias, alias)
    show("update alias", i.update_entity_alias, alias, name="hvac-new", canonical_id=made, mount_accessor=accessor)
    show("look up", i.lookup_entity, name="hvac")
    show("look up by alias", i.lookup_entity, alias_id=alias)
    group = show("group", i.create_or_update_group, name="hvac-group", group_type="internal", policies=["webapp-policy"], member_entity_ids=[made],
                 metadata={"a": "b"})["data"]["id"]
    above = show("group of groups", i.create_or_update_group_by_name, "hvac-above", member_group_ids=[group])["data"]["id"]
    show("read group", i.read_group, group)
    show("group by name", i.read_group_by_name, "hvac-above")
    show("update group", i.update_group, group, "hvac-group", group_type="internal", policies=["default"], member_entity_ids=[made])
    show("circle", i.update_group, group, "hvac-group", group_type="internal", member_group_ids=[above])
    show("look up group", i.lookup_group, name="hvac-group")
    show("group names", lambda: sorted(i.list_groups_by_name()["data"]["keys"]))
    show("groups", lambda: len(i.list_groups()["data"]["keys"]))
    show("entity in groups", i.read_entity, made)
    outside = show("external group", i.create_or_update_group, name="hvac-external", group_type="external")["data"]["id"]
    known = show("group alias", i.create_or_update_group_alias, name="ops", mount_accessor=accessor, canonical_id=outside)["data"]["id"]
    show("read group alias", i.read_group_alias, known)
    show("group aliases", i.list_group_aliases)
    show("delete group alias", i.delete_group_alias, known)
    show("merge", i.merge_entities, from_entity_ids=[other], to_entity_id=made)
    show("merged", i.read_entity, made)
    show("gone", i.read_entity, other)
    for each in (above, group, outside):
        show("delete group", i.delete_group, each)
    show("delete alias", i.delete_entity_alias, alias)
    show("delete entity", i.delete_entity_by_name, "hvac")
    show("no entity", i.read_entity, made)


def wrapping():
    c = client()
    wrapped = show("wrap", c.sys.wrap, {"a": "b"}, ttl=120)["wrap_info"]["token"]
    show("look up", c.write_data, "sys/wrapping/lookup", data={"token": wrapped})
    wrapped = show("rewrap", c.write_data, "sys/wrapping/rewrap", data={"token": wrapped})["wrap_info"]["token"]
    show("unwrap", c.sys.unwrap, token=wrapped)
    show("again", c.sys.unwrap, token=wrapped)
    mine = show("wrapped secret", c.read, "secret/data/webapp/config", wrap_ttl="2m")["wrap_info"]["token"]
    show("its holder", client(mine).sys.unwrap)
    mine = show("wrapped token", c.auth.token.create, policies=["default"], ttl="1h", wrap_ttl="2m")["wrap_info"]["token"]
    made = show("unwrapped token", client(mine).sys.unwrap)["auth"]["client_token"]
    box = client(made)
    show("cubbyhole", box.write_data, "cubbyhole/a", data={"x": "y"})
    show("read it", box.read, "cubbyhole/a")
    show("nobody else", c.read, "cubbyhole/a")
    show("list it", box.list, "cubbyhole")
    show("delete it", box.delete, "cubbyhole/a")
    show("revoke", box.auth.token.revoke_self)


def leases():
    c = client()
    mine = hvac.Client(url=ADDRESS, verify=CA, token="")
    c.sys.revoke_prefix(prefix="auth/kubernetes/login")  # of earlier logins
    show("login", mine.auth.kubernetes.login, role="webapp", jwt=os.environ["JWT"])
    lease = "auth/kubernetes/login/" + show("leases", lambda: c.sys.list_leases(prefix="auth/kubernetes/login"))["data"]["keys"][0]
    show("lease", c.sys.read_lease, lease_id=lease)
    show("renew", c.sys.renew_lease, lease_id=lease)
    show("no lease", c.sys.read_lease, lease_id="auth/kubernetes/login/none")
    show("revoke prefix", c.sys.revoke_prefix, prefix="auth/kubernetes/login")
    print("still authenticated:", mine.is_authenticated())
    show("no leases", lambda: c.sys.list_leases(prefix="auth/kubernetes/login"))
    show("revoke", c.sys.revoke_lease, lease_id=lease)


PARTS = (status, kubernetes, kv2, kv1, policies, tokens, mounts, any_path, identity, wrapping, leases)
{f.__name__: f for f in PARTS}[sys.argv[1]]()
