# SPDX-License-Identifier: Apache-2.0
"""Policies: their texts and what is wrong with them, their paths, and the verdicts of tokens that have them."""
import contextlib
import json

from tables._kubernetes import login, mounted, role
from fakeapi import REVIEWS, jwt, review
from play import case

MINIMUM = 1000
ACL, OLD = "sys/policies/acl", "sys/policy"


def write(s, name, text):
    return s.put(f"{ACL}/{name}", {"policy": text})


def rule(path, *capabilities, more=""):
    return f'path "{path}" {{ capabilities = {json.dumps(capabilities)} {more} }}\n'


def token_with(s, *policies, **fields):
    """The token of a login whose role gives these policies."""
    role(s, token_policies=policies, **fields)
    return login(s)["auth"]["client_token"]


def capabilities(s, token, *paths):
    s.post("sys/capabilities-self", {"paths": paths}, token=token)


def clean(s, *names):
    for name in names:
        s.delete(f"{ACL}/{name}")


@case("texts that are policies")
def _(s):
    for text in (" ", "# a comment", 'path "a" {}', 'path "a" { capabilities = [] }', 'path "a" { policy = "read" }', 'path "a" { policy = "" }', "path { }",
                 'name = "x"\npath "a" {}', 'path "a" "b" { capabilities = ["read"] }', 'path a { capabilities = ["read"] }', 'path "" {}', '"path" "a" {}',
                 'path "a" { capabilities = ["deny"] min_wrapping_ttl = "x" }', 'path "a" { min_wrapping_ttl = -5 }', 'path "a" { comment = "x" }',
                 'path "a" { mfa_methods = ["x"] }', 'path "a" { subscribe_event_types = ["x"] }', 'path "a" { capabilities = ["subscribe", "recover", "patch", "sudo"] }',
                 'path "a" { capabilities = ["read"] }\r\npath "b" {}\r\n', 'path "a" {}\npath "a" { capabilities = ["read"] }', '/* x */ path "a" {} // y',
                 'path "a" { capabilities = ["read",] }', '{"path": {"a": {"capabilities": ["read"]}}}', '{"path": [{"a": {"policy": "write"}}]}', "{}",
                 'path "{{identity.bad}}" {}', 'path "a" { allowed_parameters = { "a" = [] "*" = ["x"] } denied_parameters = { "b" = [1, true] } required_parameters = ["c"] }',
                 'path "a" { max_wrapping_ttl = "1h" min_wrapping_ttl = 60 }', 'path "a" { capabilities = <<EOF\nread\nEOF\n}'):
        write(s, "p", text)
        s.get(f"{ACL}/p")
    clean(s, "p")


@case("texts that are none")
def _(s):
    for text in ("", None, 5, True, ["path"], {"path": "a"}, "bad", "path", 'path "a"', 'path "a" {', 'path "a" }', 'path "a" { capabilities }', 'path "a" { capabilities = ["x"] }',
                 'path "a" { capabilities = "read" }', 'path "a" { capabilities = [1.5] }', 'path "a" { capabilities = [["read"]] }', 'path "a" { policy = "x" }', 'path "a" { policy = [] }',
                 'path "a" { bad = 1 }', 'path "a" { bad = 1 worse = 2 }', 'path "a" { bad = 1 }\npath "b" { bad = 1 }', 'bad = 1', 'name = ["x"]', 'path "a+*" {}', 'path "+*" {}',
                 'path "a/+*/b" {}', 'path = { "x" = {} }', 'path = "x"', 'path "a" "x" = 1', 'path "{{" {}', 'path "}}" {}', 'path "{{a}}b}}" {}', 'path "{{{{a}}}}" {}',
                 'path "{{a}}/{{b" { bad = 1 }', 'path "a" { capabilities = ["read"] capabilities = ["list"] }', 'path "a" { allowed_parameters = [] }', 'path "a" { allowed_parameters = { "a" = "b" } }',
                 'path "a" { required_parameters = "x" }', 'path "a" { max_wrapping_ttl = 1 min_wrapping_ttl = 2 }', 'path "a" { min_wrapping_ttl = "x" }', 'path "a" { max_wrapping_ttl = [] }',
                 'path "a" { control_group = { } }', 'path "a" { expiration = "x" }', 'path "a" { pagination_limit = 1 }', 'path "a" { capabilities = ["scan"] }', "path 'a' {}", ";", "\ufeffpath \"a\" {}",
                 "[]", '["path"]', '{"path": {"a": {"bad": 1}}}', '{"path": {"a": []}}', '{"bad": {}}', 'path "a" { capabilities = ["read" "list"] }', 'path "a" { /* }', "path \"a\\q\" {}", 'path "a'):
        s.put(f"{ACL}/p", {"policy": text})
    with s.differs("policy-faults", "body.errors*"):
        s.put(f"{ACL}/p", {"policy": 'path "a\nb" {}'})
    s.get(f"{ACL}/p")
    s.put(f"{ACL}/p", {})
    s.put(f"{ACL}/p", {"rules": 'path "a" {}'})
    clean(s, "p")


@case("paths of policies, new and old")
def _(s):
    s.list(ACL)
    s.list(OLD)
    s.get(OLD)
    s.get(ACL)
    s.get(f"{ACL}?list=true")
    for base in (ACL, OLD):
        for name in ("one", "UPPER", "with.dot-and_", "with%20blank", "a/b", "%20one%20", "\u00e4".encode().hex(), "x" * 300):
            s.put(f"{base}/{name}", {"policy": 'path "a" {}', "bogus": 1})
            s.get(f"{base}/{name}")
            s.get(f"{base}/{name.upper()}" if "%" not in name else f"{base}/{name}")
        s.list(base)
        for name in ("root", "ROOT", "default", "response-wrapping", "control-group"):
            s.put(f"{base}/{name}x", {"policy": 'path "a" {}'})
            s.delete(f"{base}/{name}x")
            if name in ("root", "ROOT"):
                s.get(f"{base}/{name}")
            elif name != "default":
                with s.differs("builtin-policy-texts", ("body.*policy", "body.*rules")):
                    s.get(f"{base}/{name}")
            if name != "default":
                s.put(f"{base}/{name}", {"policy": 'path "a" {}'})
                s.put(f"{base}/{name}", {"policy": "bad bad"})
                s.put(f"{base}/{name}", {})
            s.delete(f"{base}/{name}")
        for name in ("nobody", "one", "one", "upper", "with.dot-and_", "with%20blank", "a/b", "x" * 300):
            s.delete(f"{base}/{name}")
            s.get(f"{base}/{name}")
        s.post(f"{base}/posted", {"policy": 'path "a" {}'})
        s.put(f"{base}/base64", {"policy": "cGF0aCAiYSIge30="})
        s.get(f"{base}/base64")
        s.put(f"{base}/named", {"policy": 'path "a" {}', "name": "other"})
        s.patch(f"{base}/posted", {"policy": 'path "a" {}'})
        s.put(base, {"policy": 'path "a" {}'})
        s.put(f"{base}/", {"policy": 'path "a" {}'})
        s.delete(base)
        clean(s, "posted", "base64", "named")
    s.put(f"{OLD}/rules", {"rules": 'path "a" {}'})
    s.put(f"{OLD}/rules", {"rules": 'path "a" {}', "policy": 'path "b" {}'})
    s.get(f"{OLD}/rules")
    s.get(f"{ACL}/rules")
    s.put(f"{OLD}/rules", {"rules": "bad bad"})
    s.put(f"{OLD}/RULES", {"rules": 'path "a" {}'})
    clean(s, "rules", hex_name())
    for path in ("sys/policies", "sys/policies/"):
        s.get(path)
    s.list(ACL)


def hex_name():
    return "\u00e4".encode().hex()


@case("what default, and no policy at all, allow")
def _(s):
    with mounted(s):
        for token in (token_with(s), token_with(s, token_no_default_policy=True)):
            capabilities(s, token, "auth/token/lookup-self", "auth/token/renew-self", "auth/token/revoke-self", "sys/capabilities-self", "sys/internal/ui/resultant-acl",
                         "sys/leases/lookup", "sys/leases/renew", "sys/renew", "cubbyhole/x/y", "cubbyhole", "sys/wrapping/wrap", "sys/wrapping/lookup", "sys/wrapping/unwrap", "sys/tools/hash",
                         "sys/tools/hash/sha2-256", "sys/control-group/request", "identity/oidc/provider/p/authorize", "identity/entity/id/x", "auth/token/lookup", "secret/data/x", "sys/mounts")
            for path in ("auth/token/lookup-self", "secret/data/x", "sys/mounts", "sys/policies/acl/default", "cubbyhole/x", "sys/health", "nothing/there"):
                s.get(path, token=token)
            s.list("secret/metadata/", token=token)
            s.put("cubbyhole/x", {"a": "b"}, token=token)
        for wrong in ("root", "response-wrapping", "control-group"):
            role(s, token_policies=wrong)
            login(s)
        role(s, token_policies=["Nobody", " trimmed ", "DEFAULT", "nobody"])
        s.get("auth/token/lookup-self", token=login(s)["auth"]["client_token"])


@case("which rule decides")
def _(s):
    texts = {
        "wild": rule("*", "read") + rule("secret/*", "list") + rule("secret/data/a*", "read", "update") + rule("secret/data/ab", "deny"),
        "segments": rule("secret/+/a", "read") + rule("secret/data/+", "list") + rule("secret/+/+/c", "delete") + rule("+/data/a/*", "create") + rule("secret/data/a/+", "patch"),
        "slashes": rule("secret/metadata", "list") + rule("secret/metadata/x/", "list", "read") + rule("/secret/data/lead", "read") + rule("//secret/data/two", "read"),
        "stars": rule("secret/data/*/x", "read") + rule("secret/d*", "update") + rule("secret/data/+*".replace("+*", "+/*"), "read") + rule("a*b", "read"),
        "old": 'path "secret/data/r" { policy = "read" }\npath "secret/data/w" { policy = "write" }\npath "secret/data/s" { policy = "sudo" }\npath "secret/data/d" { policy = "deny" }',
        "merged": rule("secret/data/m", "read") + rule("secret/data/m", "update") + rule("secret/data/n", "read") + rule("secret/data/n", "deny"),
    }
    paths = ["secret/data/a", "secret/data/ab", "secret/data/abc", "secret/data/b", "secret/x", "secret", "secret/", "secret/metadata", "secret/metadata/", "secret/metadata/x",
             "secret/metadata/x/", "secret/metadata/x/y", "secret/data/a/c", "secret/data/b/c", "secret/data/a/b/c", "secret/other/a", "kv/data/a", "kv/data/a/b", "secret/data/lead",
             "secret/data/two", "/secret/data/lead", "secret/data/*", "secret/data/*/x", "secret/data/q/x", "a*b", "axb", "secret/data/r", "secret/data/w", "secret/data/s", "secret/data/d",
             "secret/data/m", "secret/data/n", "sys/mounts", "secret/+/a", "secret/data/+"]
    with mounted(s):
        for name, text in texts.items():
            write(s, name, text)
        for names in [[n] for n in texts] + [["wild", "segments"], ["slashes", "stars"], ["merged", "old", "wild"], list(texts)]:
            token = token_with(s, *names)
            capabilities(s, token, *paths)
            for path in paths[:6]:
                s.get(path, token=token)
            s.list("secret/metadata", token=token)
            s.list("secret/metadata/x", token=token)
            s.put("secret/data/a", {"data": {"a": 1}}, token=token)
            s.delete("secret/data/a", token=token)
            s.patch("secret/data/a", {"data": {"a": 2}}, token=token)
            s.get("sys/internal/ui/resultant-acl", token=token)
        # A change counts for the tokens that there are.
        token = token_with(s, "later", "wild")
        capabilities(s, token, "secret/data/ab", "secret/data/late")
        write(s, "later", rule("secret/data/late", "create", "sudo"))
        capabilities(s, token, "secret/data/ab", "secret/data/late")
        write(s, "later", rule("secret/data/late", "deny"))
        capabilities(s, token, "secret/data/ab", "secret/data/late")
        clean(s, "later")
        capabilities(s, token, "secret/data/ab", "secret/data/late")
        clean(s, *texts)


@case("operations and what they need")
def _(s):
    with mounted(s):
        for capability in ("create", "read", "update", "delete", "list", "patch", "sudo", "deny", "subscribe", "recover"):
            write(s, "one", "".join(rule(path, capability) for path in ("secret/data/op", "secret/metadata/*", "secret/metadata", "sys/auth/op", "sys/policies/acl/op", "auth/token/lookup-accessor")))
            token = token_with(s, "one")
            s.get("secret/data/op", token=token)
            s.put("secret/data/op", {"data": {"a": "b"}}, token=token)
            s.patch("secret/data/op", {"data": {"a": "b"}}, token=token)
            s.delete("secret/data/op", token=token)
            s.list("secret/metadata/", token=token)
            s.get("secret/metadata?list=true", token=token)
            s.get("sys/auth/op", token=token)
            s.post("sys/auth/op", {"type": "kubernetes"}, token=token)
            s.put(f"{ACL}/op", {"policy": ""}, token=token)
            s.request("HEAD", "secret/data/op", token=token)
            s.request("OPTIONS", "secret/data/op", token=token)
            s.delete("secret/metadata/op")
        # sudo besides the capability
        for words in (["read"], ["read", "sudo"], ["create", "update"], ["create", "update", "sudo"], ["delete", "sudo"]):
            write(s, "one", rule("sys/auth/op", *words))
            token = token_with(s, "one")
            s.get("sys/auth/op", token=token)
            s.post("sys/auth/op", {"type": "kubernetes"}, token=token)
            s.delete("sys/auth/op", token=token)
        clean(s, "one")


@case("parameters")
def _(s):
    cases = [
        ('allowed_parameters = { "data" = [] }', [{"data": {"a": 1}}, {"data": {"a": 1}, "options": {}}, {}, None]),
        ('allowed_parameters = { "*" = [] }', [{"data": {"a": 1}, "x": 1}, {}]),
        ('denied_parameters = { "options" = [] }', [{"data": {"a": 1}}, {"data": {"a": 1}, "options": {}}, {"data": {"a": 1}, "OPTIONS": {}}]),
        ('denied_parameters = { "*" = [] }', [{"data": {"a": 1}}, {}]),
        ('required_parameters = ["data", "why"]', [{"data": {"a": 1}}, {"data": {"a": 1}, "why": "x"}, {"data": {}, "why": None}]),
        ('allowed_parameters = { "*" = [] "why" = ["good", "fine*"] }', [{"data": {"a": 1}, "why": w} for w in ("good", "bad", "finest", "Good", "", None, 5, ["good"], ["good", "bad"], [], "good,fine", "*good")]),
        ('denied_parameters = { "why" = ["bad", "*end", "5", "b*"] }', [{"data": {"a": 1}, "why": w} for w in ("good", "bad", "the end", "endless", "", None, 5, "5", ["bad"], ["good", "bad"], "good,bad", "BAD", "bx")]),
        ('allowed_parameters = { "*" = [] "n" = [5, true, 1.5] }', [{"data": {"a": 1}, "n": n} for n in (5, "5", True, "true", 1.5, "1.5", 6)]),
        ('allowed_parameters = { "data" = [] "why" = ["a"] } denied_parameters = { "why" = ["a"] }', [{"data": {"a": 1}, "why": "a"}, {"data": {"a": 1}}]),
        ('allowed_parameters = { "DATA" = [] }', [{"data": {"a": 1}}, {"Data": {"a": 1}}]),
    ]
    with mounted(s):
        for number, (more, bodies) in enumerate(cases):
            write(s, f"p{number}", rule("secret/data/par", "create", "update", "read", more=more))
            token = token_with(s, f"p{number}")
            for body in bodies:
                s.put("secret/data/par", body, token=token)
            s.get("secret/data/par", token=token)
            s.get("secret/data/par", {"version": 1}, token=token)
            capabilities(s, token, "secret/data/par")
        # Of two policies.
        for pair in ((0, 2), (0, 4), (5, 6), (5, 0), (1, 3)):
            token = token_with(s, *(f"p{n}" for n in pair))
            for body in ({"data": {"a": 1}}, {"data": {"a": 1}, "options": {}}, {"data": {"a": 1}, "why": "good"}, {"data": {"a": 1}, "why": "bad"}, {}):
                s.put("secret/data/par", body, token=token)
        clean(s, *(f"p{n}" for n in range(len(cases))))
        s.delete("secret/metadata/par")


@case("rules that demand wrapping")
def _(s):
    with mounted(s):
        s.put("secret/data/wrap", {"data": {"a": "b"}})
        for more in ('min_wrapping_ttl = "1m"', 'max_wrapping_ttl = "1h"', 'min_wrapping_ttl = "1m" max_wrapping_ttl = "1h"'):
            write(s, "wrap", rule("secret/data/wrap", "read", more=more))
            token = token_with(s, "wrap")
            s.get("secret/data/wrap", token=token)
            capabilities(s, token, "secret/data/wrap")
            for ttl in ("30s", "59", "60s", "1h", "3601", "2h"):
                s.get("secret/data/wrap", token=token, headers={"X-Vault-Wrap-TTL": ttl})
        clean(s, "wrap")
        s.delete("secret/metadata/wrap")


@case("capabilities in all three forms")
def _(s):
    with mounted(s):
        write(s, "one", rule("secret/data/x", "read", "list") + rule("secret/data/y/*", "create", "sudo"))
        token = token_with(s, "one")
        accessor = s.get("auth/token/lookup-self", token=token)["data"]["accessor"]
        for body in ({"path": "secret/data/x"}, {"paths": "secret/data/x,secret/data/y/z"}, {"paths": ["secret/data/x", "secret/data/y/z", "other"]}, {"paths": []}, {}, {"paths": [""]},
                     {"path": "a", "paths": ["secret/data/x"]}, {"path": ["secret/data/x"]}, {"path": 5}, {"path": {"a": 1}}, {"path": "secret/data/x", "bogus": 1}):
            s.post("sys/capabilities-self", body, token=token)
            s.post("sys/capabilities-self", body)
            s.post("sys/capabilities", body | {"token": token})
            s.post("sys/capabilities-accessor", body | {"accessor": accessor})
        for body in ({"path": "a"}, {"path": "a", "token": "nobody"}, {"path": "a", "token": ""}):
            s.post("sys/capabilities", body)
        for body in ({"path": "a"}, {"path": "a", "accessor": "nobody"}, {"accessor": "nobody"}, {"path": [], "accessor": "nobody"}, {}):
            s.post("sys/capabilities-accessor", body)
        s.post("sys/capabilities", {"token": token, "path": "a"}, token=token)
        s.get("sys/capabilities-self", token=token)
        clean(s, "one")


@case("paths with templates")
def _(s):
    s.api.answers[REVIEWS] = lambda method, path, asked: (201, review(asked))
    with mounted(s), mounted(s, "other"):
        accessor, other = (s.get(f"sys/auth/{path}")["data"]["accessor"] for path in ("kubernetes", "other"))
        alias = "identity.entity.aliases." + accessor
        token = token_with(s, "tpl", alias_name_source="serviceaccount_name")
        entity = s.get("auth/token/lookup-self", token=token)["data"]["entity_id"]
        seen = s.get(f"identity/entity/id/{entity}")["data"]
        s.post(f"identity/entity/id/{entity}", {"name": "web", "metadata": {"team": "red", "star": "*", "plus": "+", "slash": "a/b", "empty": "", "dots": ".."}})
        s.post(f"identity/entity-alias/id/{seen['aliases'][0]['id']}", {"custom_metadata": {"zone": "east", "odd": "a/b*"}})

        def check(template, *paths, difference=None):
            write(s, "tpl", rule("secret/data/" + template, "read") + rule("secret/data/fixed", "update"))
            with s.differs(difference) if difference else contextlib.nullcontext():
                capabilities(s, token, *("secret/data/" + path for path in paths + ("fixed",)))

        alias_id = seen["aliases"][0]["id"]
        check("{{identity.entity.id}}", entity, "x")
        check("{{ identity.entity.id }}/x", entity, entity + "/x")
        check("{{identity.entity.name}}/*", "web/a", "web", "x/a")
        check("a-{{identity.entity.name}}-{{identity.entity.metadata.team}}", "a-web-red", "a-web-", "a--red")
        check("+/{{identity.entity.metadata.team}}", "x/red", "x/blue", "red")
        check(f"{{{{{alias}.id}}}}", alias_id, "x")
        check(f"{{{{{alias}.metadata.service_account_namespace}}}}/*", "webapp-ns/a", "x/a", "webapp-ns")
        check(f"{{{{{alias}.metadata.service_account_name}}}}", "webapp-sa", "x")
        check(f"{{{{{alias}.metadata.service_account_uid}}}}", "8d2d8f5c-8a3e-4d0e-9c1d-1f2e3a4b5c6d", "x")
        check(f"{{{{{alias}.custom_metadata.zone}}}}", "east", "x")
        for unresolved in ("identity.entity.metadata.nobody", "identity.entity.metadata", "identity.entity", "identity.entity.bogus", "identity", "bogus", "",
                           " ", f"{alias}.metadata.nobody", f"{alias}.metadata", alias, f"{alias}.bogus", f"{alias}.custom_metadata.nobody",
                           f"identity.entity.aliases.{other}.id", "identity.entity.aliases.nobody.name", "identity.entity.aliases", "identity.groups.names.g.id", "identity.groups.ids.g.name",
                           "identity.groups.names.g.metadata.k", "identity.groups", "time", "time.now.plus", "time.now.times.5m", "time.now.plus.x"):
            check("{{" + unresolved + "}}", "x", "", "{{" + unresolved + "}}")
        check("{{time.now}}", "x", "0")
        check("{{identity.entity.metadata.dots}}/x", "../x", "x")
        # Values that would widen the rule: Vault takes them as they are.
        for template, paths in (("{{identity.entity.metadata.star}}", ("anything", "a/b")), ("{{identity.entity.metadata.plus}}", ("one", "+")),
                                ("{{identity.entity.metadata.slash}}", ("a/b", "a")), (f"{{{{{alias}.name}}}}", ("webapp-ns/webapp-sa", "x")),
                                ("{{identity.entity.metadata.empty}}", ("", "x")), (f"{{{{{alias}.metadata.service_account_secret_name}}}}*", ("x", "y"))):
            check(template, *paths, difference="template-values")
        # It changes with the entity, at once.
        write(s, "tpl", rule("secret/data/{{identity.entity.metadata.team}}/*", "read", "update", "create"))
        for team in ("red", "blue", "red"):
            s.post(f"identity/entity/id/{entity}", {"metadata": {"team": team}})
            capabilities(s, token, "secret/data/red/x", "secret/data/blue/x")
            s.put("secret/data/blue/x", {"data": {"a": "b"}}, token=token)
            s.get("secret/data/blue/x", token=token)
            s.get("sys/internal/ui/resultant-acl", token=token)
        # A deny with a template denies.
        write(s, "tpl", rule("secret/data/*", "read") + rule("secret/data/{{identity.entity.name}}", "deny"))
        capabilities(s, token, "secret/data/web", "secret/data/x")
        s.post(f"identity/entity/id/{entity}", {"name": "x"})
        capabilities(s, token, "secret/data/web", "secret/data/x")
        # So it does where a value has a slash, which no rule may grant by.
        s.post(f"identity/entity/id/{entity}", {"metadata": {"slash": "a/b"}})
        write(s, "tpl", rule("secret/data/*", "read") + rule("secret/data/{{identity.entity.metadata.slash}}/*", "deny")
              + rule(f"secret/data/{{{{{alias}.name}}}}", "deny"))
        capabilities(s, token, "secret/data/a/b/c", "secret/data/a/b", "secret/data/webapp-ns/webapp-sa", "secret/data/x")
        s.get("secret/data/a/b/c", token=token)
        # A token that root made has no entity, a child of the account's has its.
        write(s, "tpl", rule("secret/data/{{identity.entity.id}}", "read") + rule("secret/data/fixed", "update") + rule("auth/token/create", "update"))
        for maker in ("root", token):
            child = s.post("auth/token/create", {"policies": ["tpl"], "ttl": "1h"}, token=maker)["auth"]["client_token"]
            capabilities(s, child, "secret/data/", f"secret/data/{entity}", "secret/data/fixed")
        clean(s, "tpl")
        s.delete("secret/metadata/blue/x")
        s.delete(f"identity/entity/id/{entity}")


@case("texts that stand for lists too long")
def _(s):
    write(s, "long", rule("cubbyhole/*", "create", "update", more='allowed_parameters = { "k" = ["a"] }')
          + rule("cubbyhole/denied", "create", "update", more='denied_parameters = { "k" = ["b"] }'))
    token = s.post("auth/token/create", {"policies": ["long"]})["auth"]["client_token"]
    s.post("secret/data/long", {"data": {}})
    for count in (10000, 10001):
        text = ",".join(["a"] * count)
        with s.differs("list-texts") if count > 10000 else contextlib.nullcontext():
            for path in ("cubbyhole/x", "cubbyhole/denied"):
                s.post(path, {"k": text}, token=token)
            s.post("sys/capabilities-self", {"paths": text})
            s.post("secret/undelete/long", {"versions": text.replace("a", "1")})
    s.delete("secret/metadata/long")
    clean(s, "long")


@case("resultant-acl: conditions of rules that are one with a deny")
def _(s):
    write(s, "self", rule("sys/internal/ui/resultant-acl", "read"))
    conditions = ("", 'required_parameters = ["a"]', 'allowed_parameters = { "a" = ["b"] }', 'denied_parameters = { "a" = ["b"] }', 'min_wrapping_ttl = "100s"', 'max_wrapping_ttl = "200s"')
    for first, second in (((), ("read",)), (("deny",), ("read",)), (("read",), ("deny",)), (("read", "deny"), ()), (("read",), ("update", "sudo"))):
        for one, other in (*zip(conditions, conditions[::-1]), *zip(conditions, conditions)):
            write(s, "first", rule("x/*", *first, more="\n" + one))
            write(s, "second", rule("x/*", *second, more="\n" + other))
            token = s.post("auth/token/create", {"policies": ["self", "first", "second"], "no_default_policy": True})["auth"]["client_token"]
            s.get("sys/internal/ui/resultant-acl", token=token)
    clean(s, "self", "first", "second")
