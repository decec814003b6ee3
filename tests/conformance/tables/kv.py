# SPDX-License-Identifier: Apache-2.0
"""The key/value engines: version 2 whole, version 1, the way from one to the other, and the cubbyhole."""
import json
import time

from play import case

MINIMUM = 300
PATCH = {"Content-Type": "application/merge-patch+json"}


def mount2(s, path, **more):
    s.post(f"sys/mounts/{path}", {"type": "kv", "options": {"version": "2"}} | more)
    s.wait_for(f"{path}/metadata")


def put(s, path, options=None, **data):
    return s.post(path, {"data": data} | ({"options": options} if options is not None else {}))


@case("mounting: types, versions, aliases")
def _(s):
    for name, body in (("kv", {"type": "kv"}), ("kv1", {"type": "kv-v1"}), ("kv2", {"type": "kv-v2"}), ("o1", {"type": "kv", "options": {"version": "1"}}),
                       ("o2", {"type": "kv", "options": {"version": 2}}), ("empty", {"type": "kv", "options": {"version": ""}}),
                       ("none", {"type": "kv", "options": None}), ("more", {"type": "kv-v2", "options": {"version": "1", "a": "b"}})):
        s.post(f"sys/mounts/m-{name}", body)
        s.wait_for(f"m-{name}/metadata")
        s.get(f"sys/mounts/m-{name}")
        s.get(f"sys/internal/ui/mounts/m-{name}")
        s.post(f"m-{name}/data/a", {"data": {"a": 1}})
        s.get(f"m-{name}/data/a")
        s.delete(f"sys/mounts/m-{name}")
    for version in ("0", "3", "x", 3, "02"):
        s.post("sys/mounts/m-bad", {"type": "kv", "options": {"version": version}})


@case("data: writing and reading")
def _(s):
    mount2(s, "kv")
    s.get("kv/data/a")
    for data in ({"x": 1}, {"s": "text", "n": None, "b": True, "l": [1, "a", {}, []], "o": {"p": {"q": []}}}, {}, None,
                 {"big": 123456789012345678, "f": 1.5, "e": 1e3, "small": 1e-7, "neg": -0.0, "huge": 1e300, "zero": 0, "int": 2**53},
                 {"unicode": "ü€😀", "control": "\t\n\x01", "html": "<&>", "": "empty name"}):
        s.post("kv/data/a", {"data": data})
        s.get("kv/data/a")
    s.request("POST", "kv/data/a", body=b'{"data":{"x":12345678901234567890,"y":1e400}}')
    s.request("POST", "kv/data/a", body=b'{"data":{"x":12345678901234567890,"y":1.0,"z":0.1e1}}')
    s.get("kv/data/a")
    for body in ({}, {"data": "x"}, {"data": 5}, {"data": True}, {"data": [1]}, {"data": []}, {"data": [{"a": 1}, {"b": 2}]}, {"data": [{"a": 1}, 2]},
                 {"x": 1}, {"data": {"a": 1}, "other": 1}, {"data": {"a": 1}, "path": "b"}, {"data": {"a": 1}, "options": "x"}, {"data": {"a": 1}, "options": []},
                 {"data": {"a": 1}, "options": {"other": 1}}, {"data": {"a": 1}, "version": 1}, {"data": {"a": 1}, "version": "x"}):
        s.post("kv/data/a", body)
    s.get("kv/data/a")
    s.put("kv/data/a", {"data": {"put": True}})
    s.request("POST", "kv/data/a")
    s.request("POST", "kv/data/a", body=b"null")
    s.get("kv/data/a", {"foo": "1"})
    s.get("kv/data/a", {"path": "b"})
    s.get("kv/metadata/a")


@case("data: versions")
def _(s):
    for n in range(3):
        put(s, "kv/data/v", n=n)
    for version in ("0", "1", "2", "3", "4", "-1", "-5", "", "x", "1.5", "0x2", "010", "99999999999999999999", "+1", " 1"):
        s.get("kv/data/v", {"version": version})
    s.get("kv/data/v?version=1&version=2")
    s.get("kv/data/none", {"version": "1"})


@case("data: check-and-set")
def _(s):
    for cas in (1, -1, 0, 0, 1, "2", "x", "", None, True, False, 4.5, [5], {"a": 1}, "0x5", 2**40):
        put(s, "kv/data/cas", options={"cas": cas}, c=1)
        s.get("kv/data/cas")
    s.post("kv/metadata/cas", {"cas_required": True})
    put(s, "kv/data/cas", a=1)
    put(s, "kv/data/cas", options={}, a=1)
    version = s.get("kv/metadata/cas")["data"]["current_version"]
    put(s, "kv/data/cas", options={"cas": version}, a=1)
    s.delete("kv/data/cas")
    put(s, "kv/data/cas", options={"cas": 0}, a=1)
    put(s, "kv/data/cas", options={"cas": version + 1}, a=1)
    s.post("kv/metadata/cas", {"cas_required": False})
    s.post("kv/config", {"cas_required": True})
    put(s, "kv/data/cas", a=1)
    put(s, "kv/data/cas-new", a=1)
    put(s, "kv/data/cas-new", options={"cas": 0}, a=1)
    s.patch("kv/data/cas-new", {"data": {"b": 1}})
    s.patch("kv/data/cas-new", {"data": {"b": 1}, "options": {"cas": 1}})
    s.patch("kv/data/cas-new", {"data": {"b": 1}, "options": {"cas": 1}})
    s.post("kv/config", {"cas_required": False})
    s.post("kv/metadata/cas-early", {"max_versions": 3})
    put(s, "kv/data/cas-early", options={"cas": 0}, a=1)
    s.get("kv/metadata/cas-early")


@case("data: patch")
def _(s):
    put(s, "kv/data/p", a=1, b={"c": 1, "d": {"e": 1}}, l=[1, 2])
    for data in ({"a": 2}, {"a": None}, {"b": {"c": None, "f": 1}}, {"b": {"d": "text"}}, {"l": [3]}, {"l": None, "n": {"x": None, "y": 1}}, {}, {"b": None}):
        s.patch("kv/data/p", {"data": data})
        s.get("kv/data/p")
    for body in ({}, {"data": "x"}, {"data": [1]}, {"options": {"cas": 1}}, {"data": {"a": 1}, "version": "x"}, {"data": {"a": 1}, "other": 1}, {"data": {"a": 1}, "options": {"cas": 1}},
                 {"data": {"a": 1}, "options": {"cas": "x"}}):
        s.patch("kv/data/p", body)
    s.get("kv/data/p")
    s.request("PATCH", "kv/data/p", {"data": {"a": 1}})
    s.request("PATCH", "kv/data/p", body=b'{"data":{"a":1}}')
    s.request("PATCH", "kv/data/p", body=b'{"data":{"a":1}}', headers={"Content-Type": "application/merge-patch+json; charset=utf-8"})
    s.request("PATCH", "kv/data/p", body=b'{"data":{"a":1}}', headers={"Content-Type": "APPLICATION/MERGE-PATCH+JSON"})
    s.request("PATCH", "kv/data/p", body=b'{"data":{"a":1}}', headers={"Content-Type": "text/plain"})
    s.request("PATCH", "kv/data/p", body=b'{"data":{"a":1}}', headers={"Content-Type": ";;"})
    s.request("PATCH", "kv/data/p", body=b"{", headers=PATCH)
    s.request("PATCH", "kv/data/p", headers=PATCH)
    s.patch("kv/data/absent", {"data": {"a": 1}})
    s.delete("kv/data/p")
    s.patch("kv/data/p", {"data": {"a": 1}})
    s.get("kv/metadata/p")
    s.put("kv/destroy/p", {"versions": list(range(1, 30))})
    s.patch("kv/data/p", {"data": {"a": 1}})
    s.patch("kv/data", {"data": {"a": 1}})
    s.patch("kv/data/", {"data": {"a": 1}})
    s.patch("kv/config", {"max_versions": 1})
    s.patch("kv/other", {"max_versions": 1})


@case("data: patch of a null")
def _(s):
    s.post("kv/data/null", {"data": None})
    with s.differs("kv-patch", at=["status", "body*"]):
        s.patch("kv/data/null", {"data": {"a": 1}})
        s.patch("kv/metadata/null", {"custom_metadata": {"a": 1}})
        s.patch("kv/metadata/null", {"custom_metadata": {"a": True}})
        s.patch("kv/metadata/null", {"max_versions": -1})
        s.patch("kv/metadata/null", {"max_versions": "4294967296"})


@case("what is too much")
def _(s):
    mount2(s, "deep")
    with s.differs("kv-limits", at=["status", "body*"]):
        s.post("deep/data/" + "a" * 513, {"data": {"a": 1}})
        s.post("deep/data/" + ("a" * 400 + "/") * 6 + "a", {"data": {"a": 1}})


@case("numbers as they were written")
def _(s):
    s.post("sys/mounts/one", {"type": "kv"})
    s.request("POST", "one/numbers", body=b'{"a":1.0,"c":12345678901234567890}')
    with s.differs("json-numbers", at="body.data.*"):
        s.get("one/numbers")
    put(s, "kv/data/float-cas", n=1)
    with s.differs("json-numbers"):
        put(s, "kv/data/float-cas", options={"cas": 1.0}, n=2)


@case("delete, undelete, destroy")
def _(s):
    for n in range(4):
        put(s, "kv/data/d", n=n)
    s.delete("kv/data/d")
    s.get("kv/data/d")
    s.get("kv/data/d", {"version": "3"})
    s.get("kv/metadata/d")
    s.delete("kv/data/d")
    s.post("kv/undelete/d", {"versions": [4]})
    s.get("kv/data/d")
    s.get("kv/metadata/d")
    s.post("kv/delete/d", {"versions": [1, "2"]})
    s.get("kv/data/d", {"version": "1"})
    s.get("kv/metadata/d")
    s.post("kv/delete/d", {"versions": [1, 2]})
    s.get("kv/metadata/d")
    s.post("kv/undelete/d", {"versions": "1,2"})
    s.get("kv/data/d", {"version": "2"})
    s.put("kv/destroy/d", {"versions": [2, 3]})
    s.get("kv/data/d", {"version": "2"})
    s.post("kv/undelete/d", {"versions": [2]})
    s.post("kv/delete/d", {"versions": [3]})
    s.get("kv/metadata/d")
    s.delete("kv/data/d", )
    s.put("kv/destroy/d", {"versions": [4]})
    s.get("kv/data/d")
    s.get("kv/metadata/d")
    for path in ("delete", "undelete", "destroy"):
        for body in ({}, {"versions": []}, {"versions": None}, {"versions": ""}, {"versions": "x"}, {"versions": [99]}, {"versions": 1}, {"versions": "1, 2"}, {"versions": [1.5]},
                     {"versions": [True]}, {"versions": [[1]]}, {"versions": {"a": 1}}, {"versions": [-1]}, {"versions": [0]}, {"versions": [None]}, {"versions": ["", "1"]}):
            s.post(f"kv/{path}/d", body)
        s.post(f"kv/{path}/absent", {"versions": [1]})
        s.post(f"kv/{path}", {"versions": [1]})
        s.post(f"kv/{path}/", {"versions": [1]})
        s.get(f"kv/{path}/d")
        s.list(f"kv/{path}/d")
        s.delete(f"kv/{path}/d")
        s.get(f"kv/{path}")
        s.get(f"kv/{path}/")
    s.get("kv/metadata/d")
    s.delete("kv/data/absent")
    s.delete("kv/data/d", )
    put(s, "kv/data/d", again=True)
    s.get("kv/data/d")
    s.get("kv/metadata/d")


@case("metadata: reading, writing, listing, deleting")
def _(s):
    s.get("kv/metadata/m")
    s.post("kv/metadata/m", {})
    s.get("kv/metadata/m")
    s.get("kv/data/m")
    s.post("kv/metadata/m", {"max_versions": 2, "cas_required": True, "delete_version_after": "1h30m", "custom_metadata": {"a": "b"}})
    s.get("kv/metadata/m")
    s.get("kv/data/m")
    s.delete("kv/data/m")
    put(s, "kv/data/m", options={"cas": 0}, n=1)
    s.get("kv/data/m")
    for body in ({"max_versions": "5"}, {"max_versions": "x"}, {"max_versions": -1}, {"max_versions": 2**33}, {"max_versions": None}, {"max_versions": 0}, {"cas_required": "x"},
                 {"cas_required": "true"}, {"cas_required": None}, {"cas_required": 0}, {"delete_version_after": "x"}, {"delete_version_after": "-1s"}, {"delete_version_after": 60},
                 {"delete_version_after": "1.5h"}, {"delete_version_after": 1.5}, {"delete_version_after": "1d"}, {"delete_version_after": None}, {"delete_version_after": True}, {"delete_version_after": ""}, {"other": 1}, {"path": "x"}):
        s.post("kv/metadata/m", body)
        s.get("kv/metadata/m")
    s.post("kv/metadata/early", {"custom_metadata": {"a": "b"}})
    s.get("kv/metadata/early")
    put(s, "kv/data/early", n=1)
    s.get("kv/data/early")
    for n in ("t/a", "t/b/c", "t/b", "t.x", "t/ü", "t/a b"):
        put(s, "kv/data/" + n.replace("ü", "%C3%BC").replace(" ", "%20"), n=1)
    s.list("kv/metadata/t")
    s.list("kv/metadata/t/")
    s.get("kv/metadata/t/?list=true")
    s.list("kv/metadata/t/b")
    s.list("kv/metadata/t/none")
    s.list("kv/metadata/t/a")
    s.list("kv/metadata/t/b/c/d/e")
    s.get("kv/metadata")
    s.get("kv/metadata/")
    s.delete("kv/metadata/")
    s.delete("kv/metadata")
    s.post("kv/metadata", {"max_versions": 1})
    s.get("kv/metadata/t/")
    s.get("kv/data/t/")
    s.get("kv/metadata/t/a/")
    s.delete("kv/metadata/t/a")
    s.get("kv/data/t/a")
    s.get("kv/metadata/t/a")
    s.delete("kv/metadata/t/a")
    s.list("kv/metadata/t")
    s.delete("kv/metadata/t/b/c")
    s.list("kv/metadata/t")
    put(s, "kv/data/t/a", n=2)
    s.get("kv/metadata/t/a")
    s.list("kv/detailed-metadata/t")
    s.get("kv/detailed-metadata/t")


@case("metadata: patch")
def _(s):
    s.patch("kv/metadata/mp", {"max_versions": 2})
    put(s, "kv/data/mp", n=1)
    for body in ({"max_versions": 2}, {"cas_required": True}, {"cas_required": None}, {"max_versions": None}, {"delete_version_after": "1h"}, {"delete_version_after": None},
                 {"custom_metadata": {"a": "1", "b": "2"}}, {"custom_metadata": {"a": None, "c": "3"}}, {"custom_metadata": {}}, {"custom_metadata": None}, {"custom_metadata": {"a": "1"}},
                 {"custom_metadata": {"a": None}}, {}, {"other": 1}, {"max_versions": "x"}, {"cas_required": "x"}, {"custom_metadata": "x"}, {"custom_metadata": {"a": ""}},
                 {"custom_metadata": {"a": {"b": 1}}}, {"delete_version_after": "x"}, {"max_versions": "7"}, {"cas_required": "true"}):
        s.patch("kv/metadata/mp", body)
        s.get("kv/metadata/mp")
    s.request("PATCH", "kv/metadata/mp", {"max_versions": 1})
    s.patch("kv/metadata/mp-absent", {"custom_metadata": {"a": ""}})
    s.patch("kv/metadata/mp-absent", {"max_versions": -1})
    s.patch("kv/metadata/mp", {"max_versions": 4294967295})
    s.get("kv/metadata/mp")


@case("what the mount mandates")
def _(s):
    mount2(s, "mandates")
    s.post("mandates/config", {"cas_required": True, "max_versions": 5})
    s.post("mandates/metadata/early", {"max_versions": 3})
    s.patch("mandates/data/early", {"data": {"a": 1}})
    s.patch("mandates/data/none", {"data": {"a": 1}})
    s.patch("mandates/data/none", {"data": {"a": 1}, "options": {"cas": 3}})
    for body in ({"cas_required": False}, {"cas_required": None}, {"cas_required": True}, {"max_versions": 10}, {"cas_required": False, "foo": 1}, {"cas_required": "x"}):
        s.post("mandates/metadata/a", body)
        s.patch("mandates/metadata/a", body)
        s.get("mandates/metadata/a")


@case("metadata: custom metadata and its limits")
def _(s):
    for custom in ({"a": "b"}, {"b": "c"}, {}, {"a": 1, "b": 1.5, "c": True, "d": False}, {"n": None}, {"n": ""}, {"": "x"}, {"l": [1]}, {"o": {"a": 1}}, {"k" * 128: "v" * 512}, {"k" * 129: "v"},
                   {"k": "v" * 513}, {f"k{i}": "v" for i in range(64)}, {f"k{i}": "v" for i in range(65)}, {"tab\t": "v"}, {"k": "a\nb"}, {"k": "ü€"}, {"ü": "x"}, {"k": "\u00a0"},
                   {"k": "\u200b"}, {"k": "\ufeff"}, {"k": "😀"}, {"k\x7f": "v"}, {"ü" * 65: "x"}):
        s.post("kv/metadata/cm", {"custom_metadata": custom})
        s.get("kv/metadata/cm")
    for custom in ("x", 5, True, None, [], [{"a": "b"}], ["a=b"]):
        s.post("kv/metadata/cm", {"custom_metadata": custom})
        s.get("kv/metadata/cm")
    s.post("kv/metadata/cm", {"custom_metadata": {"a": "1"}})
    s.post("kv/metadata/cm", {"max_versions": 3})
    put(s, "kv/data/cm", n=1)
    s.get("kv/data/cm")
    s.delete("kv/data/cm")
    s.get("kv/data/cm")


@case("config")
def _(s):
    mount2(s, "conf")
    s.get("conf/config")
    for body in ({"max_versions": 3}, {"cas_required": True}, {"cas_required": False}, {"delete_version_after": "3h25m19s"}, {"delete_version_after": "-1s"}, {"delete_version_after": 0},
                 {"delete_version_after": "0s"}, {"delete_version_after": "x"}, {"max_versions": "x"}, {"max_versions": -1}, {"cas_required": "x"}, {}, {"other": 1}, {"max_versions": 0}, {"delete_version_after": -5},
                 {"delete_version_after": "1d"}, {"delete_version_after": None}, {"max_versions": None}):
        s.post("conf/config", body)
        s.get("conf/config")
    s.delete("conf/config")
    s.list("conf/config")
    s.get("conf/config/")
    s.post("conf/config", {"delete_version_after": 0, "max_versions": 2})
    for n in range(4):
        put(s, "conf/data/a", n=n)
    s.get("conf/metadata/a")
    s.get("conf/data/a", {"version": "2"})
    s.get("conf/data/a", {"version": "3"})
    s.post("conf/metadata/a", {"max_versions": 3})
    for n in range(3):
        put(s, "conf/data/a", n=n)
    s.get("conf/metadata/a")
    s.post("conf/config", {"max_versions": 5})
    for n in range(3):
        put(s, "conf/data/a", n=n)
    s.get("conf/metadata/a")
    for n in range(12):
        put(s, "kv/data/ten", n=n)
    s.get("kv/metadata/ten")
    s.get("kv/data/ten", {"version": "2"})
    s.post("kv/metadata/ten", {"max_versions": 1})
    s.get("kv/metadata/ten")
    put(s, "kv/data/ten", n=99)
    s.get("kv/metadata/ten")


@case("versions that delete themselves")
def _(s):
    mount2(s, "self")
    s.post("self/metadata/a", {"delete_version_after": "1s"})
    put(s, "self/data/a", n=1)
    s.get("self/metadata/a")
    time.sleep(1.2)
    s.get("self/data/a")
    s.get("self/metadata/a")
    s.post("self/undelete/a", {"versions": [1]})
    s.get("self/data/a")
    s.post("self/config", {"delete_version_after": "1h"})
    put(s, "self/data/b", n=1)
    s.get("self/data/b")
    s.get("self/metadata/b")
    s.delete("self/data/b")
    s.get("self/metadata/b")
    s.post("self/undelete/b", {"versions": [1]})
    s.get("self/metadata/b")
    s.post("self/config", {"delete_version_after": "-1s"})
    put(s, "self/data/a", n=2)
    s.get("self/metadata/a")
    s.get("self/data/a")


@case("subkeys")
def _(s):
    put(s, "kv/data/sk", a=1, b={"c": {"d": {"e": 1}}, "x": []}, n=None, o={}, l=[{"a": 1}])
    for query in ({}, {"depth": "1"}, {"depth": "2"}, {"depth": "3"}, {"depth": "0"}, {"depth": "-1"}, {"depth": "x"}, {"depth": ""}, {"version": "1"}, {"version": "9"}, {"version": "x"}, {"foo": "1"}):
        s.get("kv/subkeys/sk", query)
    s.get("kv/subkeys/none")
    s.get("kv/subkeys/")
    s.get("kv/subkeys")
    s.list("kv/subkeys/sk")
    s.post("kv/subkeys/sk", {"a": 1})
    s.delete("kv/subkeys/sk")
    s.delete("kv/data/sk")
    s.get("kv/subkeys/sk")
    s.put("kv/destroy/sk", {"versions": [1]})
    s.get("kv/subkeys/sk")
    s.post("kv/data/sk", {"data": None})
    s.get("kv/subkeys/sk")
    s.post("kv/data/sk", {"data": {}})
    s.get("kv/subkeys/sk")
    s.get("kv/subkeys/sk", {"depth": "1"})


@case("paths that version 2 does not have")
def _(s):
    for path in ("kv", "kv/", "kv/a", "kv/a/b", "kv/data", "kv/data/", "kv/undelete", "kv/delete/", "kv/destroy", "kv/subkeys", "kv/configx", "kv/metadata"):
        s.get(path)
        s.list(path)
        s.post(path, {"data": {"a": 1}})
        s.delete(path)
    s.request("OPTIONS", "kv/data/a")
    s.request("HEAD", "kv/data/a")
    s.request("SCAN", "kv/metadata/")


@case("version 1")
def _(s):
    s.get("one/a")
    for data in ({"x": 1}, {"s": "text", "n": None, "b": True, "l": [1, "a", {}], "o": {"p": 1}}, {"big": 123456789012345678, "f": 1.5}, {"": 1}, {"path": "y"}, {"data": {"a": 1}}):
        s.post("one/a", data)
        s.get("one/a")
    s.put("one/a", {"put": 1})
    s.get("one/a")
    for body in (b"", b"{}", b"null", b"[]", b"[1]", b'"x"', b"{"):
        s.request("POST", "one/a", body=body)
    s.get("one/a")
    for path in ("b/c", "b", "b/d/e", "a.b", "%C3%BC", "a%20b"):
        s.post(f"one/{path}", {"v": path})
        s.get(f"one/{path}")
    for path in ("one", "one/", "one/b", "one/b/", "one/none", "one/b/c", "one/b/c/"):
        s.list(path)
    s.get("one/?list=true")
    s.get("one/b?list=1")
    s.get("one")
    s.get("one/")
    s.get("one/b/")
    s.post("one", {"a": 1})
    s.post("one/", {"a": 1})
    s.post("one/b/", {"a": 1})
    s.delete("one")
    s.delete("one/")
    s.delete("one/b/")
    s.get("one/a?x=1&path=q")
    s.patch("one/a", {"x": 1})
    s.request("OPTIONS", "one/a")
    s.request("HEAD", "one/a")
    s.delete("one/b/c")
    s.get("one/b/c")
    s.delete("one/b/c")
    s.list("one/b")
    s.delete("one/b/d/e")
    s.list("one/b")
    s.list("one")
    s.get("one/data/a")
    s.post("one/metadata/x", {"max_versions": 1})
    s.get("one/metadata/x")
    s.get("one/config")


@case("version 1: how long a client may keep it")
def _(s):
    for name, data in enumerate(({"ttl": "1h"}, {"ttl": 30}, {"ttl": "30"}, {"ttl": "x"}, {"ttl": None}, {"ttl": True}, {"ttl": ""}, {"ttl": "1d"}, {"ttl": -5}, {"ttl": "-5s"}, {"ttl": 1.5}, {"ttl": "1.5h"},
                                 {"ttl": "0"}, {"ttl": 0}, {"lease": "2h"}, {"lease": "x"}, {"ttl": "x", "lease": "1h"}, {"ttl": "3h", "lease": "1h"}, {"lease": 45}, {"TTL": "1h"}, {"ttl": [1]}, {"ttl": "99999h"}, {"ttl": "500ms"}, {"ttl": "1500ms"})):
        s.post(f"one/ttl{name}", data)
        s.get(f"one/ttl{name}")
    s.post("sys/mounts/short", {"type": "kv", "config": {"default_lease_ttl": "10m", "max_lease_ttl": "20m"}})
    s.post("short/a", {"x": 1})
    s.get("short/a")
    s.post("short/a", {"ttl": "1h"})
    s.get("short/a")
    s.post("sys/mounts/short/tune", {"default_lease_ttl": "15m"})
    s.post("short/a", {"x": 1})
    s.get("short/a")


@case("from version 1 to version 2")
def _(s):
    s.post("sys/mounts/up", {"type": "kv"})
    for path in ("a", "b/c", "b", "d/e/f/g"):
        s.post(f"up/{path}", {"v": path, "n": 12345678901234567, "ttl": "1h"})
    for options in ({"version": "3"}, {"version": "1"}, {"version": "x"}, {"version": ""}, {}, {"other": "x"}):
        s.post("sys/mounts/up/tune", {"options": options})
    s.get("sys/mounts/up")
    s.get("up/a")
    s.post("sys/mounts/up/tune", {"options": {"version": "2"}})
    s.wait_for("up/metadata")
    s.get("sys/mounts/up")
    s.get("sys/internal/ui/mounts/up")
    s.get("sys/mounts/up/tune")
    s.list("up/metadata")
    s.list("up/metadata/b")
    for path in ("a", "b/c", "b", "d/e/f/g"):
        s.get(f"up/data/{path}")
        s.get(f"up/metadata/{path}")
    s.get("up/a")
    put(s, "up/data/a", n=2)
    s.get("up/data/a")
    s.get("up/data/a", {"version": "1"})
    s.post("sys/mounts/up/tune", {"options": {"version": "2"}})
    s.post("sys/mounts/up/tune", {"options": {"version": "1"}})
    s.post("sys/mounts/up/tune", {"options": {"version": 1}})
    s.get("up/data/a")
    s.post("sys/mounts/empty1", {"type": "kv-v1"})
    s.post("sys/mounts/empty1/tune", {"options": {"version": 2}, "description": "now two"})
    s.wait_for("empty1/metadata")
    s.list("empty1/metadata")
    s.post("empty1/data/a", {"data": {"a": 1}})
    s.get("sys/mounts/empty1")


@case("who did it")
def _(s):
    s.put("sys/policies/acl/kv-all", {"policy": 'path "kv/*" { capabilities = ["create", "read", "update", "patch", "delete", "list"] }'})
    token = s.post("auth/token/create", {"policies": ["kv-all"], "display_name": "bob", "no_parent": True})["auth"]["client_token"]
    for method, path, body in (("POST", "data/w", {"data": {"a": 1}}), ("POST", "data/w", {"data": {"a": 2}}), ("PATCH", "data/w", {"data": {"b": 2}}), ("DELETE", "data/w", None),
                               ("POST", "undelete/w", {"versions": [3]}), ("POST", "delete/w", {"versions": [1]}), ("PUT", "destroy/w", {"versions": [1]}), ("POST", "metadata/w", {"max_versions": 4}),
                               ("PATCH", "metadata/w", {"max_versions": 5})):
        s.request(method, f"kv/{path}", body, token=token, headers=PATCH if method == "PATCH" else None)
        s.get("kv/metadata/w", token=token)
    s.delete("kv/metadata/w", token=token)
    s.post("kv/metadata/w", {"max_versions": 4}, token=token)
    s.get("kv/metadata/w", token=token)


@case("create and update are two capabilities")
def _(s):
    def token(name, *lines):
        s.put(f"sys/policies/acl/{name}", {"policy": "\n".join(f'path "{path}" {{ capabilities = {json.dumps(list(caps))} }}' for path, caps in lines)})
        return s.post("auth/token/create", {"policies": [name], "no_parent": True})["auth"]["client_token"]

    create = token("kv-create", ("kv/data/cu", ["create"]), ("kv/metadata/cu", ["create"]), ("kv1/cu", ["create"]))
    update = token("kv-update", ("kv/data/cu", ["update"]), ("kv/metadata/cu", ["update"]), ("kv1/cu", ["update"]), ("kv/delete/cu", ["create"]))
    patch = token("kv-patch", ("kv/data/cu", ["patch"]), ("kv/metadata/cu", ["patch"]))
    s.post("sys/mounts/kv1", {"type": "kv"})
    for path in ("kv/data/cu", "kv/metadata/cu", "kv1/cu"):
        body = {"data": {"a": 1}} if "data/" in path and "meta" not in path else {"max_versions": 3}
        s.post(path, body, token=update)
        s.post(path, body, token=create)
        s.post(path, body, token=create)
        s.post(path, body, token=update)
        s.patch(path, body, token=patch)
        s.patch(path, body, token=update)
        s.get(path, token=create)
        s.post(path, {"data": "x"}, token=create)
        s.post(path, {"data": "x"}, token=None)
        s.get(path, token=None)
    s.post("kv/delete/cu", {"versions": [1]}, token=update)
    s.delete("kv/data/cu", token=update)
    s.delete("kv/data/cu")
    s.post("kv/data/cu", {"data": {"a": 1}}, token=create)
    s.delete("kv/metadata/cu")
    s.post("kv/data/cu", {"data": {"a": 1}}, token=update)


@case("cubbyhole")
def _(s):
    def token(**more):
        return s.post("auth/token/create", {"policies": ["default"]} | more)["auth"]["client_token"]

    a, b = token(), token()
    s.list("cubbyhole", token=a)
    s.list("cubbyhole/", token=a)
    s.get("cubbyhole/x", token=a)
    for data in ({"v": "a"}, {"v": [1, None, {"x": True}], "ttl": "1h"}, {"path": "y"}):
        s.post("cubbyhole/x", data, token=a)
        s.get("cubbyhole/x", token=a)
    s.put("cubbyhole/y/z", {"v": 1}, token=a)
    s.post("cubbyhole/y", {"v": 1}, token=a)
    s.list("cubbyhole", token=a)
    s.list("cubbyhole/y", token=a)
    s.list("cubbyhole/none", token=a)
    s.get("cubbyhole/?list=true", token=a)
    s.get("cubbyhole/x", token=b)
    s.get("cubbyhole/x")
    s.list("cubbyhole", token=b)
    s.delete("cubbyhole/x", token=b)
    s.get("cubbyhole/x", token=a)
    for body in (b"", b"{}", b"null"):
        s.request("POST", "cubbyhole/x", body=body, token=a)
    s.get("cubbyhole", token=a)
    s.get("cubbyhole/")
    with s.differs("policy-trailing-slash", at=["status", "body*"]):
        s.get("cubbyhole/", token=a)
    s.post("cubbyhole", {"v": 1}, token=a)
    s.post("cubbyhole/", {"v": 1}, token=a)
    s.post("cubbyhole/y/", {"v": 1}, token=a)
    s.get("cubbyhole/y/", token=a)
    s.delete("cubbyhole/y/", token=a)
    s.delete("cubbyhole", token=a)
    s.patch("cubbyhole/x", {"v": 1}, token=a)
    s.patch("cubbyhole/x", {"v": 1})
    s.request("OPTIONS", "cubbyhole/x")
    s.request("HEAD", "cubbyhole/x")
    s.get("cubbyhole/x?a=b&path=c", token=a)
    s.delete("cubbyhole/x", token=a)
    s.get("cubbyhole/x", token=a)
    s.delete("cubbyhole/x", token=a)
    s.get("cubbyhole/y/z", token=None)
    s.post("cubbyhole/y/z", {"v": 1}, token=None)
    s.get("cubbyhole/y/z", token="s.unknown")
    s.post("cubbyhole/r", {"root": 1})
    s.get("cubbyhole/r")
    s.post("auth/token/renew-self", token=a)
    s.get("cubbyhole/y/z", token=a)
    s.post("auth/token/revoke-self", token=a)
    s.get("cubbyhole/y/z", token=a)
    s.post("auth/token/create", {"policies": ["nothing"], "no_default_policy": True})
    once = token(num_uses=2)
    s.post("cubbyhole/x", {"v": 1}, token=once)
    s.get("cubbyhole/x", token=once)
    s.get("cubbyhole/x", token=once)


@case("cubbyhole: batch tokens have none")
def _(s):
    batch = s.post("auth/token/create", {"policies": ["default"], "type": "batch"})["auth"]["client_token"]
    s.get("cubbyhole/x", token=batch)
    s.post("cubbyhole/x", {"a": 1}, token=batch)
    s.list("cubbyhole", token=batch)
    s.delete("cubbyhole/x", token=batch)


@case("odd names")
def _(s):
    with s.differs("dot-segments", at=["status", "body*"]):
        for path in ("one/n/a..b", "cubbyhole/n/a..b", "one/n/..."):
            s.post(path, {"v": 1})
        s.get("one/n/%2e%2e")
        s.get("kv/data/n/%2e")
    for name in ("a..b", "..a", "a..", "..."):
        for path in ("one", "cubbyhole"):
            s.get(f"{path}/n/{name}")
            s.list(f"{path}/n/{name}")
            s.delete(f"{path}/n/{name}")
        s.post(f"kv/data/n/{name}", {"data": {"v": 1}})
        s.get(f"kv/data/n/{name}")
    with s.differs("path-limits", at=["status", "body*"]):
        s.post("one/n/a%ffb", {"v": 1})
        s.get("kv/data/n/a%ffb")
    for name in ("a%2Fb", "a%25b", "a%3Fb", "a+b", "a%2Bb", "a:b", "a;b", "a*b", "a%20", "%20a", "a'b", "a%22b", "a%5Cb", "a~b", "a@b", "a,b", "%E2%82%AC"):
        s.post(f"one/n/{name}", {"v": 1})
        s.get(f"one/n/{name}")
        s.post(f"kv/data/n/{name}", {"data": {"v": 1}})
        s.get(f"kv/data/n/{name}")
        s.post(f"cubbyhole/n/{name}", {"v": 1})
        s.get(f"cubbyhole/n/{name}")
    s.list("one/n")
    s.list("kv/metadata/n")
    s.list("cubbyhole/n")


@case("unmounting takes everything along")
def _(s):
    mount2(s, "gone")
    put(s, "gone/data/a", n=1)
    s.delete("sys/mounts/gone")
    s.get("gone/data/a")
    mount2(s, "gone")
    s.get("gone/data/a")
    s.list("gone/metadata")
    s.delete("sys/mounts/one")
    s.get("one/a")
    s.post("sys/mounts/one", {"type": "kv"})
    s.list("one")


@case("metadata: who did it, where a token has an entity")
def _(s):
    accessor = s.get("sys/auth/token")["data"]["accessor"]
    entity = s.post("identity/entity", {"name": "actor"})["data"]["id"]
    s.post("identity/entity-alias", {"name": "actor", "mount_accessor": accessor, "canonical_id": entity})
    s.post("auth/token/roles/actor", {"allowed_entity_aliases": "actor"})
    s.put("sys/policies/acl/actor", {"policy": 'path "secret/*" { capabilities = ["create", "read", "update", "delete", "patch"] }'})
    for kind in "service", "batch":
        token = s.post("auth/token/create/actor", {"entity_alias": "actor", "policies": ["actor"], "type": kind})["auth"]["client_token"]
        for method, path, data in (("POST", "data", {"data": {"a": 1}}), ("POST", "data", {"data": {"a": 2}}), ("PATCH", "data", {"data": {"b": 1}}), ("DELETE", "data", None),
                                   ("POST", "undelete", {"versions": [3]}), ("POST", "delete", {"versions": [1]}), ("POST", "destroy", {"versions": [2]})):
            s.request(method, f"secret/{path}/actor", data, token=token, headers=PATCH if method == "PATCH" else {})
            s.get("secret/metadata/actor")
    s.delete("secret/metadata/actor")
    s.delete(f"identity/entity/id/{entity}")
    s.delete("auth/token/roles/actor")
    s.delete("sys/policies/acl/actor")
