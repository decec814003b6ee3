# SPDX-License-Identifier: Apache-2.0
"""What a login makes of the API server's answers: TokenReview, namespaces for selectors."""
import json

from fakeapi import CLOSE, RESET, REVIEWS, UID, claims, jwt, raw, review, status
from play import case
from tables._kubernetes import login, mounted, role

MINIMUM = 150
NAMESPACE = "/api/v1/namespaces/webapp-ns"
ROLE = "auth/kubernetes/role/webapp"


def reviewed(s, code=201, headers=None, **changes):
    """A login whose review is answered with a status of these changes."""
    s.api.answers[REVIEWS] = lambda method, path, asked: (code, review(asked, **changes), headers or {})
    return login(s)


def answered(s, *answer):
    s.api.answers[REVIEWS] = answer[0] if len(answer) == 1 else answer
    return login(s)


def user(username, uid=UID, **more):
    return {"username": username, "uid": uid} | more


@case("review: status codes")
def _(s):
    with mounted(s):
        role(s)
        for code in (200, 201, 202, 203, 206, 207, 208, 226, 299, 300, 400, 401, 403, 404, 409, 422, 429, 500, 501, 502, 503, 504, 599):
            reviewed(s, code)
        for code in (200, 201, 400, 401, 403, 404, 429, 500, 503):
            answered(s, code, status(code, "a text", "Unauthorized" if code == 401 else "Forbidden"))
            answered(s, code, b"no JSON")
            answered(s, code, b"")
        answered(s, 429, status(429, "slow down"), {"Retry-After": "1"})
        answered(s, 204, b"")
        s.api.answers[REVIEWS] = None
        login(s)


@case("review: answers that are none")
def _(s):
    with mounted(s):
        role(s)
        for answer in (b"null", b"[]", b"5", b'"x"', b"{}", b"{", b"{} x", b'{"status":null}', b'{"status":"Failure"}', b'{"status":5}',
                       b'{"status":[]}',
                       b'{"status":{}}', b'{"kind":"TokenReview"}', b"<html>", b"\xff\xfe", b'{"status":{"authenticated":true}}'):
            answered(s, 201, answer)
        answered(s, 200, status(401, "Unauthorized", "Unauthorized"))
        answered(s, 200, status(403, "no", "Forbidden"))
        answered(s, 200, {"kind": "Status", "status": "Success"})
        answered(s, 201, b"x" * 200000)
        with s.differs("api-server-connections", at="asked*"):
            answered(s, raw(CLOSE))
        s.api.answers.clear()
        login(s)
        answered(s, raw(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{}"))
        answered(s, raw(b"garbage\r\n\r\n"))
        answered(s, raw(b"HTTP/1.1 201 Created\r\nContent-Length: x\r\n\r\n{}"))
        answered(s, raw(RESET))
        s.api.answers.clear()
        login(s)


@case("review: the verdict's members")
def _(s):
    with mounted(s):
        role(s)
        for changes in ({}, {"authenticated": False}, {"authenticated": None}, {"authenticated": "true"}, {"authenticated": 1}, {"error": "an error"},
                        {"error": ""}, {"error": 5}, {"authenticated": False, "error": "[invalid bearer token, expired]"}, {"error": ["x"]},
                        {"audiences": []}, {"audiences": None}, {"audiences": ["other"]}, {"audiences": ["other", "vault"]}, {"audiences": "vault"},
                        {"audiences": ["vault", "https://kubernetes.default.svc"]}, {"audiences": [5]}, {"audiences": ["Vault"]}, {"audiences": {}},
                        {"unknown": {"a": [1]}}):
            reviewed(s, **changes)
        role(s, audience="")
        for changes in ({"audiences": []}, {"audiences": None}, {"audiences": ["other"]}, {"audiences": ["vault"]}):
            reviewed(s, **changes)
            s.api.answers[REVIEWS] = lambda method, path, asked, changes=changes: (201, review(asked, **changes))
            login(s, jwt(aud=None))


@case("review: whose token it is")
def _(s):
    name = "system:serviceaccount:webapp-ns:webapp-sa"
    with mounted(s):
        role(s)
        for changed in (user(name), user("admin"), user(""), user("system:serviceaccount:webapp-ns"), user(name + ":x"),
                        user("system:node:webapp-ns:webapp-sa"),
                        user("System:serviceaccount:webapp-ns:webapp-sa"), user("x:serviceaccount:webapp-ns:webapp-sa"),
                        user("system:serviceaccount:other:webapp-sa"),
                        user("system:serviceaccount:webapp-ns:other"), user("system:serviceaccount::webapp-sa"),
                        user("system:serviceaccount:webapp-ns:"),
                        user(name, ""), user(name, "other"), user(name, UID.upper()), user(name, None), user(name, 5), user(5), {"uid": UID}, {}, [],
                        "x", None,
                        user(name, groups=["x"]), user(name, groups="x"), user(name, groups=None), user(name, extra={"a": ["b"]}),
                        user(name, extra={"a": "b"}),
                        user(name, extra=None), user(" " + name), user(name + " ")):
            verdict = {"authenticated": True, "audiences": ["vault"], "user": changed}
            s.api.answers[REVIEWS] = lambda method, path, asked, verdict=verdict: (201, review(asked) | {"status": verdict})
            login(s)
        # The claims and the answer must agree; the claims were not signed by anybody yet.
        s.api.answers[REVIEWS] = lambda method, path, asked: (201, review(asked, user=user(name)))
        role(s, bound_service_account_names="*", bound_service_account_namespaces="*")
        login(s, jwt(name="other"))
        login(s, jwt(namespace="other"))
        login(s, jwt(**{"kubernetes.io": {"namespace": "webapp-ns", "serviceaccount": {"name": "webapp-sa", "uid": "other"}}}))
        login(s, jwt(sub="system:serviceaccount:x:y"))


@case("review: kinds, versions, members twice")
def _(s):
    with mounted(s):
        role(s)
        for changes in ({"kind": "Other"}, {"kind": ""}, {"kind": "Status"}, {"apiVersion": "authentication.k8s.io/v1beta1"}, {"apiVersion": "v1"},
                        {"kind": "TokenReviewList"}):
            s.api.answers[REVIEWS] = lambda method, path, asked, changes=changes: (201, review(asked) | changes)
            login(s)
        s.api.answers[REVIEWS] = lambda method, path, asked: (201, {"status": review(asked)["status"]})
        login(s)
        s.api.answers[REVIEWS] = lambda method, path, asked: (201, review(asked) | {
            "spec": {}, "metadata": {"name": "x", "managedFields": [{"a": {"b": {}}}]}})
        login(s)
        for kind in ("text/plain", "application/yaml", "application/json; charset=utf-8", "application/vnd.kubernetes.protobuf"):
            reviewed(s, headers={"Content-Type": kind})
        good = review({"spec": {"token": jwt(), "audiences": ["vault"]}})
        for text in (json.dumps(good, indent=1), "\n " + json.dumps(good) + "\n", "\ufeff" + json.dumps(good), json.dumps(good) + "x"):
            answered(s, 201, text.encode())
        with s.differs("api-server-redirects"):
            answered(s, 201, json.dumps(good).replace('"authenticated"', '"authenticated": false, "authenticated"').encode())


@case("review: redirects, and closed connections")
def _(s):
    with mounted(s):
        role(s)
        answered(s, 304, b"", {"Location": "/elsewhere"})
        answered(s, 307, b"")
        answered(s, 307, b"", {"Location": "http://127.0.0.1:1/"})
        s.api.answers["/elsewhere"] = lambda method, path, asked: (201, review(asked) if isinstance(asked, dict) else {})
        with s.differs("api-server-redirects"):
            for code in (301, 302, 303, 307, 308):
                answered(s, code, b"", {"Location": "/elsewhere"})
        reviewed(s, headers={"Connection": "close"})
        reviewed(s, headers={"Connection": "close"})
        reviewed(s)
        # A kept-alive connection that the server ends between two requests: the next login must not notice.
        s.api.answers[REVIEWS] = lambda method, path, asked: raw(whole(review(asked)))
        login(s)
        login(s)
        s.api.answers.clear()
        login(s)


def whole(body):
    """An answer that promises to keep the connection, which then ends."""
    text = json.dumps(body).encode()
    return b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text) + text


def labelled(s, labels, code=200, **more):
    s.api.answers[NAMESPACE] = (code, {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "webapp-ns", "labels": labels}} | more)


def selector(s, text, **fields):
    return role(s, bound_service_account_namespaces=fields.pop("namespaces", None), bound_service_account_namespace_selector=text, **fields)


GOOD = '{"matchLabels": {"team": "blue", "env": "prod"}}'


@case("selector: which namespaces it lets in")
def _(s):
    with mounted(s):
        labelled(s, {"team": "blue", "env": "prod", "x": "y"})
        for text in (GOOD, '{"matchLabels": {"team": "blue"}}', "matchLabels:\n  team: blue\n", "matchLabels:\n  team: blue\n  env: prod\n",
                     "---\nmatchLabels:\n  team: \"blue\"\n", "matchLabels:\n  'team': blue # why\n", "# first\n\nmatchLabels:\n\n  team: blue\n"):
            selector(s, text)
            s.get(ROLE)
            with s.differs("selector-after-review", at="asked*"):
                login(s)
        for text in ('{"matchLabels": {"team": "red"}}', '{"matchLabels": {"other": "blue"}}', '{"matchLabels": {"team": ""}}',
                     '{"matchLabels": {"team": "BLUE"}}',
                     "matchLabels:\n  team: red\n"):
            selector(s, text)
            with s.differs("selector-after-review", at="asked*"):
                login(s)
        # A list that matches is enough, and then nobody asks.
        selector(s, GOOD, namespaces="webapp-ns")
        login(s)
        selector(s, '{"matchLabels": {"team": "red"}}', namespaces="other-ns")
        with s.differs("selector-after-review", at="asked*"):
            login(s)


@case("selector: written, read, and gone at the next write")
def _(s):
    with mounted(s):
        selector(s, GOOD)
        s.get(ROLE)
        s.post(ROLE, {"token_ttl": 60})
        role(s, bound_service_account_namespace_selector=GOOD)
        s.get(ROLE)
        s.post(ROLE, {"token_ttl": 60})
        s.get(ROLE)
        for text in ('{"matchExpressions": []}', '{"matchLabels": {"a": "b"}, "matchExpressions": []}',
                     '{"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "a", "operator": "Exists"}]}',
                     "matchExpressions: []", "x", "][", '{"matchLabels": 5}', '{"matchLabels": ["a"]}', '{"matchLabels": {"a": {"b": "c"}}}', "{",
                     '{"matchLabels": {"a": "b"}',
                     "matchLabels:\n- a\n", "matchLabels: x\n", "5", "true", "- a\n", "\tx: y"):
            selector(s, text)
        s.get(ROLE)
        with s.differs("selector-forms"):
            for text in ("{}", '{"matchLabel": {"a": "b"}}', " ", "null", '{"matchLabels": {"a": 5}}', '{"matchLabels": {"a": "b"}} x',
                         '{"matchLabels": {}}',
                         '{"matchLabels": {"-": "b"}}', '{"MATCHLABELS": {"a": "b"}}', "matchLabels: {a: b}\n"):
                selector(s, text)


@case("selector: what the API server says of the namespace")
def _(s):
    with mounted(s):
        selector(s, GOOD)
        answers = [(404, status(404, 'namespaces "webapp-ns" not found', "NotFound")), (403, status(403, "namespaces is forbidden", "Forbidden")),
                   (401, status(401, "Unauthorized")),
                   (500, status(500, "broken")), (200, b"{}"), (200, {"metadata": {}}), (200, {"metadata": {"labels": None}}),
                   (201, {"metadata": {"labels": {"team": "blue", "env": "prod"}}})]
        for answer in answers:
            s.api.answers[NAMESPACE] = answer
            with s.differs("selector-after-review", at="asked*"):
                login(s)
        for answer in ((503, b"no JSON"), (404, b""), (200, b"no JSON"), (200, {"metadata": {"labels": []}}),
                       (200, {"metadata": {"labels": {"team": 5}}}),
                       (200, {"metadata": 5}), (200, b"null"), (200, b"[]"), (204, b""), raw(CLOSE)):
            s.api.answers[NAMESPACE] = answer
            with s.differs("selector-after-review", at="asked*"), s.differs("api-answer-texts", at="body.errors*"):
                login(s)
        # Whoever has no token of the cluster makes us ask nothing.
        labelled(s, {"team": "blue", "env": "prod"})
        s.api.answers[REVIEWS] = (401, status(401, "Unauthorized", "Unauthorized"))
        with s.differs("selector-after-review"):
            login(s)
        s.api.answers[REVIEWS] = lambda method, path, asked: (201, review(asked))
        labelled(s, {"team": "red"})
        with s.differs("selector-after-review", at="asked*"):
            login(s)
        login(s, jwt(exp=1))


@case("selector: without a reviewer's token")
def _(s):
    with mounted(s, token_reviewer_jwt=None):
        selector(s, GOOD)
        login(s)
        role(s, bound_service_account_namespace_selector=GOOD)
        login(s)
        role(s)
        login(s)
        login(s, jwt(payload=claims() | {"kubernetes.io": {"namespace": "../x", "serviceaccount": {"name": "webapp-sa", "uid": UID}}}))
