# SPDX-License-Identifier: Apache-2.0
"""Audit: options of devices one by one, sockets that listen, and which requests about the seal have entries."""
import contextlib
import json
import os
import socket

from play import TOKEN, case
from tables._kubernetes import mounted
from tables.audit import device, hashes, note_entries, settled

MINIMUM = 400
AUDITED = True
ROTATE = "sys/rotate/root"


@contextlib.contextmanager
def listener(kind, address):
    """What a socket device sends to ADDRESS: a function that waits for the next N lines and gives them, as entries."""
    family = socket.AF_UNIX if kind.startswith("unix") else socket.AF_INET
    stream = kind in ("tcp", "unix")
    with socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM) as server:
        server.settimeout(10)
        server.bind(address)
        if stream:
            server.listen()
        peers, text = [], bytearray()

        def receive(n):
            while text.count(b"\n") < n:
                if stream and not peers:
                    peers.append(server.accept()[0])
                    peers[0].settimeout(10)
                text.extend((peers[0] if stream else server).recv(1 << 16))
            *lines, text[:] = text.split(b"\n", n)
            return [json.loads(line) for line in lines]
        try:
            yield server, receive
        finally:
            for peer in peers:
                peer.close()


def said(s, title, found):
    for entry in found:
        entry["request"].pop("remote_port", None)
    s.note(title, found)


@case("sockets: of every type")
def _(s):
    for kind in ("tcp", "tcp4", "udp", "udp4", "unix", "unixgram"):
        address = s.place + "." + kind if kind.startswith("unix") else ("127.0.0.1", 0)
        with listener(kind.rstrip("46"), address) as (server, receive):
            name = address if kind.startswith("unix") else "127.0.0.1:%d" % server.getsockname()[1]
            body = {"type": "socket", "options": {"address": name, "socket_type": kind, "write_timeout": "1s"}}
            reply = s.put("sys/audit/line", body)
            said(s, kind + ": the trial", receive(1))
            s.get("secret/data/none")
            said(s, kind + ": the answer to the enabling, and a request", receive(3 if reply.status == 204 else 0))
            s.delete("sys/audit/line")


@case("a prefix: of sockets, not of files")
def _(s):
    with listener("udp", ("127.0.0.1", 0)) as (server, receive):
        name = "127.0.0.1:%d" % server.getsockname()[1]
        s.put("sys/audit/line", {"type": "socket", "options": {"address": name, "socket_type": "udp", "prefix": "@cee: "}})
        server.recv(1 << 16)
        s.get("secret/data/none")
        text = b""
        while text.count(b"\n") < 2:
            text += server.recv(1 << 16)
        lines = text.decode().splitlines()
        s.note("lines with it", [line.startswith("@cee: {") for line in lines])
        s.delete("sys/audit/line")


@case("options: refusals, one by one")
def _(s):
    path = s.place + ".other"
    for options in ({"format": "json"}, {"format": "JSON"}, {"format": ""}, {"hmac_accessor": "x"}, {"hmac_accessor": ""}, {"log_raw": ""},
                    {"elide_list_responses": ""}, {"skip_test": ""}, {"skip_test": "T"}, {"mode": ""}, {"mode": "0000"}, {"mode": "600"}, {"mode": "0o600"},
                    {"mode": "0888"}, {"mode": "-1"}, {"mode": "01777"}, {"mode": "07777777777777777777777"}, {"prefix": ""}, {"prefix": "x", "format": "zz"},
                    {"exclude": "[]"}, {"exclude": ""}, {"filter": "operation == read"}, {"filter": ""}, {"fallback": "true"}, {"fallback": "false"},
                    {"fallback": "x"}, {"fallback": "true", "filter": "operation == read"}, {"unknown": "x"}):
        s.put("sys/audit/x", {"type": "file", "options": {"file_path": path} | options})
        if os.path.exists(path):
            s.note("mode", oct(os.stat(path).st_mode))
        s.get("sys/audit")
        s.delete("sys/audit/x")
    for options in ({"socket_type": "tcp"}, {"address": ""}, {"address": "127.0.0.1:1", "write_timeout": "-1s"}, {"address": "127.0.0.1:1", "write_timeout": ""},
                    {"address": "127.0.0.1:1", "prefix": "x"}, {"address": "127.0.0.1:1", "format": "zz"}, {"address": "127.0.0.1:1", "fallback": "x"},
                    {"address": "127.0.0.1:1", "filter": "operation == read"}, {"address": "127.0.0.1:1", "exclude": "[]"}):
        s.put("sys/audit/x", {"type": "socket", "options": {"skip_test": "true"} | options})
        s.delete("sys/audit/x")
    for options in ({"prefix": "x"}, {"facility": "nope"}, {"format": "zz"}, {"fallback": "x"}, {"exclude": "x"}):
        with contextlib.nullcontext() if options.keys() & {"facility", "format", "fallback", "exclude"} else s.differs("audit-texts", at="body.errors*"):
            s.put("sys/audit/x", {"type": "syslog", "options": options})
        s.delete("sys/audit/x")
    for body in ({"type": "file", "options": {"file_path": path, "mode": 384}}, {"type": "file", "options": {"file_path": path, "log_raw": True}},
                 {"type": "file", "local": True, "options": {"file_path": path}}, {"type": "file", "local": "false", "options": {"file_path": path}},
                 {"type": "file", "description": 5, "options": {"file_path": path}}, {"type": 5}, {"type": "file", "options": {"file_path": 5}},
                 {"type": "http"}, {"type": "FILE", "options": {"file_path": path}}):
        s.put("sys/audit/x", body)
        s.get("sys/audit")
        s.delete("sys/audit/x")


@case("options: what accessors and headers look like")
def _(s):
    s.post("sys/config/auditing/request-headers/x-plain", {"hmac": False})
    s.post("sys/config/auditing/request-headers/x-hashed", {"hmac": True})
    headers = {"X-Plain": "p\u00e9<", "X-Hashed": "h"}
    for options in ({}, {"hmac_accessor": "false"}, {"log_raw": "true"}, {"log_raw": "true", "hmac_accessor": "false"}):
        with device(s, **options) as path:
            s.get("auth/token/lookup-self", headers=headers)
            accessor = s.post("auth/token/create", {"policies": ["default"]}, headers=headers)["auth"]["accessor"]
            s.post("auth/token/lookup-accessor", {"accessor": accessor}, headers=headers)
            s.get("secret/data/o", headers=headers | {"X-Vault-Wrap-TTL": "60"})
        os.rename(path, path + ".done")
        note_entries(s, path + ".done", f"entries with {options}")
    s.delete("sys/config/auditing/request-headers/x-plain")
    s.delete("sys/config/auditing/request-headers/x-hashed")


@case("the file: copied and truncated, removed, a link")
def _(s):
    with device(s) as path:
        s.get("secret/data/one")
        settled(path, "secret/data/one")
        with open(path, "r+b") as file:
            file.truncate(0)
        s.get("secret/data/two")
        s.note("after copytruncate", [entry["request"]["path"] for entry in settled(path, "secret/data/two")])
        os.remove(path)
        s.get("secret/data/three")
        s.note("a removed file comes back by SIGHUP only", os.path.exists(path))
    os.symlink(s.place + ".target", s.place + ".linked")
    with device(s, "linked") as path:
        s.get("secret/data/four")
        s.note("a link is followed", [entry["request"]["path"] for entry in settled(s.place + ".target", "secret/data/four")])
        s.note("its mode", oct(os.stat(s.place + ".target").st_mode))


@case("entries: what is asked about the seal and the keys")
def _(s):
    for path in ("sys/init", "sys/health", "sys/leader", "sys/rotate/config", "sys/rekey/init", "sys/rekey/verify", "sys/rekey/backup",
                 "sys/rekey-recovery-key/init", ROTATE + "/init", "sys/rotate/recovery/init", "sys/tools/random/4"):
        s.get(path)
    s.put("sys/unseal", {"key": "00"}, token=None)
    s.put("sys/unseal", {"reset": True})
    s.put("sys/rotate")
    nonce = s.put("sys/rekey/init", {"secret_shares": 1, "secret_threshold": 1})["nonce"]
    s.put("sys/rekey/init", {"secret_shares": 1, "secret_threshold": 1})
    s.put("sys/rekey/update", {"key": "00", "nonce": nonce})
    s.delete("sys/rekey/init")
    s.delete("sys/rekey/backup")
    s.put(ROTATE + "/init", {"secret_shares": 1, "secret_threshold": 1})
    s.put(ROTATE + "/update", {"key": "00", "nonce": "x"})
    s.delete(ROTATE + "/init")
    s.put("sys/step-down")


@case("entries: a root token is made")
def _(s):
    def told():
        s.note("entries", [(entry["type"], entry["request"]["path"], entry["request"]["operation"], sorted(entry["request"].get("data", {})))
                           for entry in s.entries])

    def ask(method, path, body=None):
        with s.differs("audit-generate-root", at="audit*"):
            return s.request(method, "sys/generate-root/" + path, body)

    made = ask("PUT", "attempt", {})
    s.records[-1][1]["body"]["otp"] = len(made["otp"])
    told()
    s.note("the one-time password", s.entries[1]["response"]["data"]["otp"] == hashes(s, made["otp"]))
    ask("GET", "attempt")
    told()
    ask("PUT", "attempt", {})
    told()
    for key in ("00", "00" * 32):
        ask("PUT", "update", {"key": key, "nonce": made["nonce"]})
        told()
        s.note("the share", s.entries[0]["request"]["data"]["key"] == hashes(s, key))
    ask("DELETE", "attempt")
    told()


@case("entries: errors of every engine")
def _(s):
    s.post("secret/data/e", {"data": {"a": 1}})
    s.put("sys/mounts/one", {"type": "kv"})
    for method, path, body in (
            ("POST", "auth/token/create", {"policies": 5}), ("POST", "auth/token/create", {"ttl": "-1s"}), ("POST", "auth/token/create", {"period": "x"}),
            ("POST", "auth/token/create", {"type": "x"}), ("POST", "auth/token/create", {"num_uses": -1}), ("POST", "auth/token/create", {"id": "a.b"}),
            ("POST", "auth/token/create/none", {}), ("POST", "auth/token/create-orphan", {"explicit_max_ttl": "x"}),
            ("POST", "auth/token/lookup", {}), ("POST", "auth/token/lookup-accessor", {}), ("POST", "auth/token/lookup-accessor", {"accessor": "x"}),
            ("POST", "auth/token/renew", {}), ("POST", "auth/token/renew", {"token": "x"}), ("POST", "auth/token/renew-accessor", {"accessor": "x"}),
            ("POST", "auth/token/revoke", {}), ("POST", "auth/token/revoke", {"token": "x"}), ("POST", "auth/token/revoke-orphan", {}),
            ("POST", "auth/token/revoke-orphan", {"token": "x"}), ("POST", "auth/token/revoke-accessor", {}),
            ("POST", "auth/token/roles/r", {"token_type": "x"}), 
            ("GET", "auth/token/roles/none", None), ("DELETE", "auth/token/roles/none", None),
            ("POST", "sys/capabilities", {}), ("POST", "sys/capabilities", {"path": "x", "token": "none"}), ("POST", "sys/capabilities-self", {}),
            ("POST", "sys/capabilities-accessor", {"path": "x", "accessor": "none"}),
            ("PUT", "sys/policies/acl/root", {"policy": "x"}), ("PUT", "sys/policies/acl/e", {}), ("PUT", "sys/policies/acl/e", {"policy": "path"}),
            ("DELETE", "sys/policies/acl/root", None), ("DELETE", "sys/policies/acl/default", None), ("PUT", "sys/policy/e", {"policy": "path"}),
            ("PUT", "sys/mounts/sys", {"type": "kv"}), ("PUT", "sys/mounts/one", {"type": "kv"}), ("PUT", "sys/mounts/e", {"type": "none"}),
            ("PUT", "sys/mounts/e", {}), ("POST", "sys/mounts/one/tune", {"max_lease_ttl": "x"}), ("POST", "sys/mounts/none/tune", {}),
            ("GET", "sys/mounts/none", None), ("GET", "sys/mounts/none/tune", None), ("DELETE", "sys/mounts/sys", None),
            ("PUT", "sys/auth/token", {"type": "kubernetes"}), ("PUT", "sys/auth/e", {"type": "none"}), ("PUT", "sys/auth/e", {}),
            ("GET", "sys/auth/none", None), ("GET", "sys/auth/none/tune", None), ("DELETE", "sys/auth/token", None),
            ("POST", "sys/remount", {}), ("POST", "sys/remount", {"from": "none", "to": "x"}), ("GET", "sys/remount/status/none", None),
            ("PUT", "sys/leases/lookup", {}), ("PUT", "sys/leases/lookup", {"lease_id": "none"}), ("PUT", "sys/leases/renew", {}),
            ("PUT", "sys/leases/renew", {"lease_id": "none"}), ("PUT", "sys/leases/revoke", {}), ("PUT", "sys/leases/revoke", {"lease_id": "none"}),
            ("PUT", "sys/leases/revoke-prefix/none", None), ("LIST", "sys/leases/lookup/none", None),
            ("POST", "sys/tools/hash", {}), ("POST", "sys/tools/hash", {"input": "?"}), ("POST", "sys/tools/hash/none", {"input": "YQ=="}),
            ("POST", "sys/tools/hash", {"input": "YQ==", "format": "none"}), ("POST", "sys/tools/random/0", {}), ("POST", "sys/tools/random", {"bytes": -1}),
            ("POST", "sys/tools/random", {"format": "none"}), ("POST", "sys/tools/random/none", {}),
            ("POST", "sys/wrapping/wrap", {"a": 1}), ("POST", "sys/rotate/config", {"max_operations": 1}), ("POST", "sys/rotate/config", {"interval": "1s"}),
            ("GET", "sys/config/auditing/request-headers/none", None), ("POST", "sys/config/auditing/request-headers/e", {"hmac": "x"}),
            ("POST", "sys/quotas/rate-limit/e", {}), ("POST", "sys/quotas/rate-limit/e", {"rate": -1}), ("GET", "sys/quotas/rate-limit/none", None),
            ("GET", "sys/plugins/catalog/none/none", None), ("GET", "sys/none", None), ("POST", "sys/none", {}),
            ("POST", "identity/entity", {"metadata": 5}), ("GET", "identity/entity/id/none", None), ("GET", "identity/entity/name/none", None),
            ("POST", "identity/entity/id/none", {"name": "x"}), ("POST", "identity/entity/merge", {}), ("POST", "identity/entity/merge", {"to_entity_id": "x"}),
            ("POST", "identity/entity-alias", {}), ("POST", "identity/entity-alias", {"name": "x", "mount_accessor": "none"}),
            ("GET", "identity/entity-alias/id/none", None), ("POST", "identity/group", {"type": "none"}), ("GET", "identity/group/id/none", None),
            ("POST", "identity/lookup/entity", {}), ("POST", "identity/lookup/entity", {"id": "none"}), ("POST", "identity/lookup/group", {}),
            ("POST", "identity/group-alias", {}), ("GET", "identity/none", None),
            ("POST", "secret/config", {"max_versions": "x"}), ("POST", "secret/metadata/e", {"max_versions": "x"}),
            ("POST", "secret/metadata/e", {"custom_metadata": {"a": ""}}), ("POST", "secret/metadata/e", {"delete_version_after": "x"}),
            ("POST", "secret/delete/e", {}), ("POST", "secret/undelete/e", {}), ("POST", "secret/destroy/e", {}), ("POST", "secret/destroy/e", {"versions": "x"}),
            ("POST", "secret/data/e", {"data": {"a": 1}, "options": {"cas": "x"}}), ("POST", "secret/data/e", {"data": {"a": 1}, "options": {"cas": 0}}),
            ("PATCH", "secret/data/e", {"data": {"a": 1}, "options": {"cas": 9}}), ("PATCH", "secret/metadata/none", {}), ("GET", "secret/data/e?version=x", None),
            ("GET", "secret/subkeys/none", None), ("GET", "secret/subkeys/e?depth=x", None), ("DELETE", "secret/none/e", None),
            ("POST", "one/e", {}), ("GET", "one/none", None), ("PATCH", "one/e", {"a": 1}), ("DELETE", "one/none", None), ("POST", "cubbyhole/", {}),
            ("POST", "cubbyhole/e", {}), ("PATCH", "cubbyhole/e", {"a": 1}), ("LIST", "cubbyhole/none", None)):
        s.request(method, path, body)
    s.delete("sys/mounts/one")
    with mounted(s):
        with s.differs("audit-unread-writes", at="audit*"):
            s.post("auth/token/roles/r", {"token_period": "-1s"})
        with s.differs("audit-warnings", at="audit[[]1].response.warnings"):
            s.post("auth/kubernetes/role/e", {"bound_service_account_names": "*", "bound_service_account_namespaces": "*", "alias_name_source": "x"})
        for path, body in (("config", {}), ("config", {"kubernetes_host": ""}), ("config", {"kubernetes_host": "x", "pem_keys": "x"}),
                           ("role/e", {}), ("role/e", {"bound_service_account_names": "a"}),
                           ("role/e", {"bound_service_account_names": "a", "bound_service_account_namespaces": "b", "token_type": "x"})):
            s.post("auth/kubernetes/" + path, body)
        s.get("auth/kubernetes/role/none")
        s.list("auth/kubernetes/role")
        s.delete("auth/kubernetes/role/none")
        s.get("auth/kubernetes/none")
        for body in ({}, {"role": "e"}, {"jwt": "x"}, {"role": 5, "jwt": "x"}):
            s.post("auth/kubernetes/login", body, token=None)
