# SPDX-License-Identifier: Apache-2.0
"""Policies, at their edges: texts that are nearly right, what is stricter here than in Vault, rules and parameters of several policies."""
import base64
import contextlib

from fakeapi import jwt
from play import case
from tables._kubernetes import mounted

MINIMUM = 1000
ACL = "sys/policies/acl/"
ASKS = 'path "sys/capabilities-self" { capabilities = ["update"] }'
RULE = 'path "kv/a" { capabilities = ["read"] }'


def write(s, text, name="p"):
    return s.put(ACL + name, {"policy": text})


@contextlib.contextmanager
def bearer(s, *policies, **role):
    """A token with these policies and nothing else, for a KV mount with some secrets."""
    with mounted(s):
        s.post("sys/mounts/kv", {"type": "kv", "options": {"version": "1"}})
        for path in ("a", "a/b", "a/b/c", "ab", "b"):
            s.post("kv/" + path, {"x": "y"})
        for number, text in enumerate(policies):
            write(s, text, f"p{number}")
        s.post("auth/kubernetes/role/r", {"bound_service_account_names": "*", "bound_service_account_namespaces": "*", "audience": "vault",
                                          "token_policies": [f"p{n}" for n in range(len(policies))], "token_no_default_policy": True} | role)
        try:
            yield s.post("auth/kubernetes/login", {"role": "r", "jwt": jwt()}, token=None)["auth"]["client_token"]
        finally:
            s.delete("sys/mounts/kv")
            for number in range(len(policies)):
                s.delete(ACL + f"p{number}")


@case("policies: names that are paths")
def _(s):
    for name in ("a..b", "a.b", "-", "with%20blank"):
        for base in (ACL, "sys/policy/"):
            s.put(base + name, {"policy": RULE})
            s.get(base + name)
            s.delete(base + name)


@case("policies: texts that parse, and those that do not")
def _(s):
    block = 'capabilities = ["read"]'
    texts = [
        RULE, RULE + "\n" + RULE, 'path "a" {}', "path \"a\" {\n" + block + "\n}", 'path "a" { policy = "read" }', 'path "a" { policy = "other" }',
        'path "a" { policy = "" }',
        'path "a" { policy = "deny" capabilities = ["read"] }', 'path "a" { capabilities = "read" }', 'path "a" { capabilities = ["raed"] }',
        'path "a" { capabilities = ["read", "raed", "list"] }', 'path "a" { capabilities = [] }', 'path "a" { capabilities = [5] }',
        'path "a" { capabilities = ["READ"] }',
        'path "a" { capabilities = [" read"] }', 'path "a" { capabilities = ["read",] }', 'path "a" { capabilities = ["read" "list"] }',
        'path "a" { capabilities = {} }',
        'path "a" { unknown = 1 }', 'path "a" { unknown = 1 other = 2 }', "unknown = 1", 'name = "x"\n' + RULE, 'unknown "x" {}',
        'path "a" { comment = "x" ' + block + " }",
        'path "a" { expiration = "2030-01-01T00:00:00Z" }', 'path "a" { pagination_limit = 5 }', 'path "a" { capabilities = ["scan"] }',
        'path "a" { capabilities = ["subscribe", "recover"] }',
        'path "a" { subscribe_event_types = ["*"] ' + block + " }", 'path "a" { ' + block + " " + block + " }", 'path "a" "b" { ' + block + " }",
        'path a { ' + block + " }",
        'path "" { ' + block + " }", '"path" "a" { ' + block + " }", "path { " + block + " }", 'path = { "a" = { ' + block + " } }", 'path = "a"',
        'path "a" = { ' + block + " }",
        'path "a" { ' + block, 'path "a" ' + block, "path", "path \"a\"", "}", "{", "[]", "null", "5", '"x"', "path 'a' { " + block + " }",
        'path "a" { ' + block + "; }", "\ufeff" + RULE,
        RULE.replace(" ", "\r\n", 1), RULE.replace(" { ", " {\r\n").replace(" }", "\r\n}"), "// c\n# d\n/* e */\n" + RULE, "/* open\n" + RULE,
        'path "a\\"b" { ' + block + " }",
        'path <<EOF\na\nEOF\n{ ' + block + " }",
        'path "a" { capabilities = [<<EOF\nread\nEOF\n] }',
        'path "kv/+*" { ' + block + " }", 'path "+*" { ' + block + " }", 'path "kv/*/a" { ' + block + " }", 'path "kv/+a" { ' + block + " }",
        'path "*" { ' + block + " }",
        'path "kv/{{identity.entity.name}}/*" { ' + block + " }", 'path "kv/{{identity" { ' + block + " }", 'path "kv/}}" { ' + block + " }",
        'path "kv/{{}}" { ' + block + " }",
        'path "kv/{{nobody.knows}}" { ' + block + " }", 'path "a" { allowed_parameters = { "x" = ["y"] } ' + block + " }",
        'path "a" { allowed_parameters { x = ["y"] } ' + block + " }",
        'path "a" { allowed_parameters = { "x" = [] "*" = [] } ' + block + " }", 'path "a" { allowed_parameters = ["x"] ' + block + " }",
        'path "a" { required_parameters = ["x"] ' + block + " }", 'path "a" { required_parameters = "x" ' + block + " }",
        'path "a" { denied_parameters = { "*" = [] } ' + block + " }",
        'path "a" { min_wrapping_ttl = "1m" max_wrapping_ttl = 90 ' + block + " }",
        'path "a" { min_wrapping_ttl = "2m" max_wrapping_ttl = "1m" ' + block + " }",
        'path "a" { min_wrapping_ttl = "x" ' + block + " }", 'path "a" { min_wrapping_ttl = "-5s" ' + block + " }",
        'path "a" { min_wrapping_ttl = 1.5 ' + block + " }",
        'path "a" { max_wrapping_ttl = "1d" ' + block + " }", 'path "a" { max_wrapping_ttl = true ' + block + " }",
        'path "a" { mfa_methods = ["x"] ' + block + " }",
        'path "a" { control_group = {} ' + block + " }", "x" * 200, 'path "a" { ' + block + ' } path "b" { raed = 1 }',
        '{"path": {"kv/a": {"capabilities": ["read"]}}}', '{"path": {"kv/a": {"capabilities": "read"}}}', '{"path": {"kv/a": {"policy": "read"}}}',
        '{"path": [{"kv/a": {"capabilities": ["read"]}}]}',
        '{"path": {"kv/a": {"unknown": 1}}}', '{"unknown": 1}', "{}", '{"path": {}}', '{"path":', ' {"path": {"kv/a": {"capabilities": ["read"]}}}',
        '[{"path": {}}]', '{"name": "x"}',
        '{"path": {"kv/a": {"capabilities": ["raed"]}}}', '{"path": {"kv/+*": {"capabilities": ["read"]}}}', base64.b64encode(b"garbage").decode(),
    ]
    for text in texts:
        write(s, text)
    s.get(ACL + "p")
    s.delete(ACL + "p")


@case("policies: texts that Vault takes and we do not")
def _(s):
    with s.differs("policy-json"):
        write(s, '{"path": {"kv/a": {"capabilities": ["read"], "capabilities": ["deny"]}}}')
        write(s, '{"path": {"kv/a": {"capabilities": ["read"]} "kv/b": {}}}')
        write(s, '{"path": {"kv/a": {"capabilities": ["read"]}}} x')
        write(s, 'path "a" { allowed_parameters = { "x" = { "y" = "z" } } capabilities = ["read"] }')
        write(s, '{"path": {"a": {"allowed_parameters": {"x": {"y": "z"}}, "capabilities": ["read"]}}}')
    with s.differs("policy-lexis"):
        write(s, 'p\u00e4th "a" {}')
        write(s, 'path "a" { capabilities = ["read"] } name =')
        write(s, 'path "a\\x00b" { capabilities = ["read"] }')
    # Both refuse these, at another place of the text.
    with s.differs("policy-faults", at="body.errors*"):
        for text in ('path "a\\x" {}', 'path "a\nb" {}', "\u00fc"):
            write(s, text)
    s.delete(ACL + "p")


def tries(s, token, *paths):
    for path in paths:
        s.get(path, token=token)
        s.list(path, token=token)
        s.post(path, {"x": "y"}, token=token)
        s.delete(path, token=token)


@case("verdicts: which rule decides")
def _(s):
    read, deny, update = 'capabilities = ["read", "list"]', 'capabilities = ["deny"]', 'capabilities = ["update", "create"]'
    for first, second in (
            (f'path "kv/*" {{ {read} }}', f'path "kv/a" {{ {deny} }}'), (f'path "kv/*" {{ {deny} }}', f'path "kv/a" {{ {read} }}'),
            (f'path "kv/a" {{ {read} }}', f'path "kv/a" {{ {deny} }}'),
            (f'path "kv/a" {{ {read} }}', f'path "kv/a" {{ {update} }}'), (f'path "kv/+" {{ {read} }}', f'path "kv/a" {{ {update} }}'),
            (f'path "kv/a*" {{ {read} }}', f'path "kv/+" {{ {update} }}'),
            (f'path "kv/+/b" {{ {read} }}', f'path "kv/a/*" {{ {update} }}'), (f'path "kv/+/+" {{ {read} }}', f'path "kv/a/+" {{ {deny} }}'),
            (f'path "+/a" {{ {read} }}', f'path "kv/*" {{ {update} }}'),
            (f'path "kv/a/" {{ {read} }}', f'path "kv/a" {{ {update} }}'), (f'path "kv/a*" {{ {read} }}', f'path "kv/ab*" {{ {deny} }}'),
            (f'path "/kv/a" {{ {read} }}', 'path "kv/b" {}'),
            (f'path "kv/*" {{ {read} }}', 'path "kv/a" {}'), (f'path "kv/+/b/*" {{ {read} }}', f'path "kv/a/b/*" {{ {update} }}')):
        with bearer(s, first, second, ASKS) as token:
            tries(s, token, "kv/a", "kv/ab", "kv/a/b")
            s.post("sys/capabilities-self", {"paths": ["kv", "kv/", "kv/a", "kv/a/", "kv/ab", "kv/a/b", "kv/a/b/c", "kv/none"]}, token=token)


@case("verdicts: parameters of several policies")
def _(s):
    rules = ['allowed_parameters = { "x" = ["a"] }', "", 'denied_parameters = { "x" = ["a"] }', 'allowed_parameters = { "x" = [] }',
             'required_parameters = ["x"]',
             'allowed_parameters = { "y" = [] }']
    for first in rules:
        for second in rules:
            with bearer(s, *(f'path "kv/a" {{ capabilities = ["update"] {rule} }}' for rule in (first, second))) as token:
                for body in ({"x": "a"}, {"x": "b"}, {"y": "a"}, {"z": "a"}):
                    s.post("kv/a", body, token=token)


@case("verdicts: a rule that asks for an approval")
def _(s):
    for rule in ('control_group = { factor "f" { identity { group_names = ["g"] approvals = 1 } } }', 'mfa_methods = ["m"]'):
        with bearer(s, f'path "kv/*" {{ capabilities = ["read"] {rule} }}') as token:
            with s.differs("policy-approval"):
                s.get("kv/a", token=token)


@case("verdicts: a slash at the end")
def _(s):
    with bearer(s, 'path "kv/*" { capabilities = ["read", "list"] } path "kv/a" { capabilities = ["deny"] }') as token:
        s.get("kv/a", token=token)
        s.list("kv/a", token=token)
        s.list("kv/a/", token=token)
        with s.differs("policy-trailing-slash"):
            s.get("kv/a/", token=token)


@case("capabilities: the three forms")
def _(s):
    with bearer(s,
                'path "kv/a" { capabilities = ["update", "read", "sudo"] }\npath "kv/b" { capabilities = ["deny"] }', ASKS,
                'path "kv/a" { capabilities = ["list"] }') as token:
        accessor = s.post("auth/token/lookup", {"token": token})["data"]["accessor"]
        for data in ({"path": "kv/a"}, {"paths": "kv/a"}, {"paths": ["kv/a", "kv/b", "kv/none"]}, {"paths": "kv/a,kv/b"}, {"path": ["kv/a", "kv/b"]},
                     {"path": "kv/b", "paths": "kv/a"}, {}, {"paths": []},
                     {"paths": ""}, {"paths": ["", "kv/a"]}, {"path": 5}, {"paths": [["kv/a"]]}, {"path": "/kv/a"},
                     {"paths": ["capabilities", "kv/a"]}, {"paths": ["kv/a", "kv/a"]}):
            s.post("sys/capabilities-self", data, token=token)
            s.post("sys/capabilities-self", data)
            s.post("sys/capabilities", {"token": token} | data)
            s.post("sys/capabilities-accessor", {"accessor": accessor} | data)
        for data in ({"path": "kv/a"}, {"token": "", "path": "kv/a"}, {"token": "none", "path": "kv/a"}, {"token": 5, "path": "kv/a"},
                     {"token": True, "path": "kv/a"}, {"token": None, "path": "kv/a"},
                     {"accessor": accessor, "path": "kv/a"}):
            s.post("sys/capabilities", data)
        with s.differs("claims-not-echoed"):
            s.post("sys/capabilities", {"token": ["x"], "path": "kv/a"})
        for data in ({"path": "kv/a"}, {"accessor": "", "path": "kv/a"}, {"accessor": "none", "path": "kv/a"}, {"token": token, "path": "kv/a"}):
            s.post("sys/capabilities-accessor", data)
        s.post("sys/capabilities", {"token": token, "path": "kv/a"}, token=token)
        s.post("sys/capabilities-self", {"path": "kv/a"}, token=None)
        s.get("sys/capabilities-self", token=token)
        s.list("sys/capabilities-self", token=token)
        s.get("sys/internal/ui/resultant-acl", token=token)
        s.get("sys/internal/ui/resultant-acl")
        s.put("sys/capabilities-self", {"path": "kv/a"}, token=token)
        s.post("sys/capabilities-self", {"token": "root", "path": "kv/a"}, token=token)


@case("policies: the one that every token has")
def _(s):
    with s.differs("default-policy-text", at=("body.data.policy", "body.data.rules", "body.rules")):
        s.get(ACL + "default")
        s.get("sys/policy/default")


@case("tokens: a signature that is wrong")
def _(s):
    with bearer(s, 'path "kv/a" { capabilities = ["read"] }') as token:
        s.get("kv/a", token=token)
        for other in (token[:-1], token + "a", token.lower(), token[4:], token[:30]):
            s.get("kv/a", token=other)
        with s.differs("token-signature"):
            s.get("kv/a", token=token[:24] + ("A" if token[24] != "A" else "B") + token[25:])
